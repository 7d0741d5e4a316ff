/// The lengths of the frames in the order in which they are sent, again and again.
///
/// Lengths count the FCS, as generators do: 64 means 60 bytes handed to the device.
public struct FrameSizes: Sendable, Equatable {
    public let pattern: [Int]

    /// The shortest Ethernet frame, and the longest jumbo frame.
    public static let range = 64...9216
    public static let maximumCount = 1024

    /// Seven of 64, four of 594 and one of 1518 bytes. In the notation of RFC 6985 the genome is
    /// `aaaaaaaAAAAg` with A = 594. Equal lengths lie together so that they can be sent together.
    public static let internetMix = FrameSizes(
        pattern: Array(repeating: 64, count: 7) + Array(repeating: 594, count: 4) + [1518])

    private init(pattern: [Int]) { self.pattern = pattern }

    /// One length, several separated by commas, or `imix`.
    public init?(_ text: String) {
        if text == "imix" {
            self = .internetMix
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let lengths = parts.compactMap { Int($0) }.filter(Self.range.contains)
        guard lengths.count == parts.count, lengths.count <= Self.maximumCount else { return nil }
        pattern = lengths
    }

    public var meanByteCount: Double { Double(pattern.reduce(0, +)) / Double(pattern.count) }
    public var longest: Int { pattern.max() ?? Self.range.lowerBound }
}
