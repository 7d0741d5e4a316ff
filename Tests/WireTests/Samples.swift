import TestKit
import Wire

/// Addresses of the frames in these tests.
enum Sample {
    static let macA = MACAddress(bits: 0x02AA_0000_0001)
    static let macB = MACAddress(bits: 0x02BB_0000_0002)
    static let ipA = IPv4Address(bits: 0x0A01_010B)
    static let ipB = IPv4Address(bits: 0x0A01_010C)
    static let ip6A: [UInt8] = [0xFD, 0] + [UInt8](repeating: 1, count: 14)
    static let ip6B: [UInt8] = [0xFD, 0] + [UInt8](repeating: 2, count: 14)

    static var ethernet: FrameBuilder {
        FrameBuilder.ethernet(destination: macB, source: macA)
    }
}

extension FrameArena {
    /// Hands each flip of one bit of `bytes` to `body`, with the index of the byte.
    func forEachFlip(of bytes: [UInt8], _ body: (FrameView, Int) -> Void) {
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            body(frame(flipped), bit / 8)
        }
    }

    /// Hands each prefix of `bytes`, the whole excluded, to `body`.
    func forEachTruncation(of bytes: [UInt8], _ body: (FrameView) -> Void) {
        for length in 0..<bytes.count { body(frame(Array(bytes[..<length]))) }
    }
}
