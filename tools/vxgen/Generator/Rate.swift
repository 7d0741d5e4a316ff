/// How fast frames are offered: `1Mpps`, `600pps`, `2Gbit/s`, or `max`.
///
/// Bits are those of Ethernet frames with FCS, without preamble and gap between frames.
public enum Rate: Sendable, Equatable {
    case packetsPerSecond(Double)
    case bitsPerSecond(Double)
    case unlimited

    /// Beyond this a schedule in nanoseconds has no meaning.
    public static let maximumPacketsPerSecond = 1e9

    public init?(_ text: String) {
        if text == "max" {
            self = .unlimited
            return
        }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(number), value > 0, value.isFinite else { return nil }
        var unit = text.dropFirst(number.count)
        var scale = 1.0
        switch unit.first {
        case "k", "K": scale = 1e3
        case "M": scale = 1e6
        case "G": scale = 1e9
        default: break
        }
        if scale != 1 { unit = unit.dropFirst() }
        switch unit {
        case "pps" where value * scale <= Self.maximumPacketsPerSecond:
            self = .packetsPerSecond(value * scale)
        case "bit/s", "bps": self = .bitsPerSecond(value * scale)
        default: return nil
        }
    }

    /// Frames a second when their mean length is `meanByteCount` with FCS; nil without a limit.
    public func packetsPerSecond(meanByteCount: Double) -> Double? {
        switch self {
        case .packetsPerSecond(let value): value
        case .bitsPerSecond(let value): value / (8 * meanByteCount)
        case .unlimited: nil
        }
    }
}
