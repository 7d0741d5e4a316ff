public import Dataplane

/// Offload metadata as bytes of an input: kind, flags, then four 16-bit numbers, two bytes unused.
public enum MetadataBytes {
    public static let count = 12

    /// - Parameter input: at least `count` bytes.
    public static func segmentation(_ input: some RandomAccessCollection<UInt8>) -> Segmentation {
        let bytes = Array(input.prefix(count))
        func word(_ offset: Int) -> UInt16 {
            UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
        }
        return Segmentation(
            kind: Segmentation.Kind(rawValue: bytes[0] % 5) ?? .none,
            isCongestionAware: bytes[1] & 1 != 0, segmentSize: word(2), headerLength: word(4),
            checksumStart: word(6), checksumOffset: word(8), needsChecksum: bytes[1] & 2 != 0)
    }
}
