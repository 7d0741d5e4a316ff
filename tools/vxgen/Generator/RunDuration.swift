/// How long a run lasts, as typed: `10s`, `500ms`, `2m`, `1h`.
public struct RunDuration: Sendable, Equatable {
    public let nanoseconds: UInt64

    /// Longer runs than a week are a slip of the finger.
    public static let maximumNanoseconds: UInt64 = 7 * 86400 * 1_000_000_000

    /// - Precondition: at least 1.
    public init(nanoseconds: UInt64) {
        precondition(nanoseconds > 0)
        self.nanoseconds = nanoseconds
    }

    public init?(_ text: String) {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), value > 0 else { return nil }
        let scale: Double
        switch text.dropFirst(number.count) {
        case "ms": scale = 1e6
        case "s": scale = 1e9
        case "m": scale = 60e9
        case "h": scale = 3600e9
        default: return nil
        }
        guard value * scale <= Double(Self.maximumNanoseconds), value * scale >= 1 else {
            return nil
        }
        nanoseconds = UInt64(value * scale)
    }
}
