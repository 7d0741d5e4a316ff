/// The lengths of the frames in the order in which they are sent, again and again.
///
/// Lengths count the FCS, as generators do: 64 means 60 bytes handed to the device.
public struct FrameSizes: Sendable, Equatable {
    public let pattern: [Int]
    /// As it was typed.
    public let text: String

    /// The shortest Ethernet frame, and the longest jumbo frame.
    public static let range = 64...9216
    public static let maximumCount = 1024

    /// Seven of 64, four of 594 and one of 1518 bytes. Equal lengths lie together so that they can
    /// be sent together.
    public static let internetMix = FrameSizes(genome: "aaaaaaaAAAAg,A=594", text: "imix")!

    /// The letters of RFC 6985 section 4, table 1. `i`, `j` and `z` are left out: the first two are
    /// at or beyond the longest frames, the last depends on the device.
    private static let letters: [Character: Int] = [
        "a": 64, "b": 128, "c": 256, "d": 512, "e": 1024, "f": 1280, "g": 1518, "h": 2112,
        "i": 9000,
    ]

    /// One length, several separated by commas, `imix`, or a genome of RFC 6985 as in
    /// `aaaaaaaAAAAg,A=594`.
    public init?(_ text: String) {
        if text == "imix" {
            self = .internetMix
            return
        }
        if text.first?.isLetter == true {
            self.init(genome: text, text: text)
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        self.init(pattern: parts.map { Int($0) ?? 0 }, text: text)
    }

    private init?(pattern: [Int], text: String) {
        guard (1...Self.maximumCount).contains(pattern.count),
            pattern.allSatisfy(Self.range.contains)
        else { return nil }
        self.pattern = pattern
        self.text = text
    }

    /// - Parameter genome: letters, then the lengths of those in upper case (RFC 6985 section 5).
    private init?(genome: String, text: String) {
        let parts = genome.split(separator: ",", omittingEmptySubsequences: false)
        var letters = Self.letters
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let letter = sides[0].first, sides[0].count == 1,
                letter.isASCII, letter.isUppercase, let size = Int(sides[1])
            else { return nil }
            letters[letter] = size
        }
        self.init(pattern: parts[0].map { letters[$0] ?? 0 }, text: text)
    }

    public var meanByteCount: Double { Double(pattern.reduce(0, +)) / Double(pattern.count) }
    public var longest: Int { pattern.max() ?? Self.range.lowerBound }
    public var shortest: Int { pattern.min() ?? Self.range.lowerBound }
}
