/// Finds the frames in a capture: pcap (draft-ietf-opsawg-pcap) with microseconds or nanoseconds,
/// and pcapng (draft-ietf-opsawg-pcapng), both in either byte order.
///
/// Every length is checked against what is there; a record that reaches beyond ends the list.
@safe
struct CaptureParser {
    private(set) var frames: [Capture.Frame] = []
    private(set) var truncated = 0
    private(set) var foreign = 0

    private let bytes: UnsafeRawBufferPointer
    private let path: String
    private var isSwapped = false
    /// Of the current section of a pcapng file.
    private var interfaces: [Interface] = []
    private var lastTime: UInt64 = 0

    private struct Interface {
        let isEthernet: Bool
        let snapLength: Int
        /// How many units of its clock a second has: ten or two to the power of `exponent`.
        var exponent = 6
        var isBinary = false
        /// Seconds to add.
        var offset: UInt64 = 0
    }

    private static let ethernet = 1
    /// A longer record is no record.
    private static let maximumBlock = 1 << 26

    /// - Throws: when the first bytes are those of no capture.
    @unsafe
    init(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(GeneratorError) {
        unsafe self.bytes = bytes
        self.path = path
        guard bytes.count >= 4 else { throw strange("it is empty or too short") }
    }

    mutating func parse() throws(GeneratorError) {
        let magic = word(0)
        switch magic {
        case 0x0A0D_0D0A: try parseBlocks()
        case 0xA1B2_C3D4, 0xA1B2_3C4D: try parseRecords(scale: magic == 0xA1B2_C3D4 ? 1000 : 1)
        case 0xD4C3_B2A1, 0x4D3C_B2A1:
            isSwapped = true
            try parseRecords(scale: magic == 0xD4C3_B2A1 ? 1000 : 1)
        default: throw strange("it is neither pcap nor pcapng")
        }
    }

    // MARK: pcap

    private mutating func parseRecords(scale: UInt64) throws(GeneratorError) {
        guard unsafe bytes.count >= 24 else { throw strange("its header is cut") }
        guard Int(word(20) & 0xFFFF) == Self.ethernet else {
            throw strange("its link type is \(word(20) & 0xFFFF), not Ethernet (1)")
        }
        var offset = 24
        while let end = fits(16, at: offset) {
            let captured = Int(word(offset + 8))
            let time = UInt64(word(offset)) * 1_000_000_000 + UInt64(word(offset + 4)) * scale
            guard fits(captured, at: end) != nil else { return }
            add(end, captured, original: Int(word(offset + 12)), time)
            offset = end + captured
        }
    }

    // MARK: pcapng

    private mutating func parseBlocks() throws(GeneratorError) {
        var offset = 0
        while fits(12, at: offset) != nil {
            if word(offset) == 0x0A0D_0D0A { try beginSection(offset) }
            let length = Int(word(offset + 4))
            guard length >= 12, length % 4 == 0, length <= Self.maximumBlock,
                fits(length, at: offset) != nil
            else { return }
            parseBlock(word(offset), offset + 8, offset + length - 4)
            offset += length
        }
    }

    /// A section names the byte order of what follows, and numbers its interfaces anew.
    private mutating func beginSection(_ offset: Int) throws(GeneratorError) {
        isSwapped = false
        switch word(offset + 8) {
        case 0x1A2B_3C4D: break
        case 0x4D3C_2B1A: isSwapped = true
        default: throw strange("the byte order of a section is unknown")
        }
        interfaces = []
    }

    /// - Parameters: from, to: the body of the block.
    private mutating func parseBlock(_ type: UInt32, _ from: Int, _ to: Int) {
        switch type {
        case 1 where to - from >= 8: addInterface(from, to)
        case 2 where to - from >= 20, 6 where to - from >= 20:
            let number = type == 6 ? Int(word(from)) : Int(half(from))
            guard number < interfaces.count else {
                foreign += 1
                return
            }
            let ticks = UInt64(word(from + 4)) << 32 | UInt64(word(from + 8))
            let captured = Int(word(from + 12))
            guard captured <= to - from - 20 else {
                truncated += 1
                return
            }
            add(
                from + 20, captured, original: Int(word(from + 16)),
                nanoseconds(ticks, interfaces[number]),
                isEthernet: interfaces[number].isEthernet)
        case 3 where to - from >= 4 && !interfaces.isEmpty:
            let original = Int(word(from))
            let snap = interfaces[0].snapLength
            let captured = min(original, snap == 0 ? original : snap, to - from - 4)
            add(
                from + 4, captured, original: original, lastTime,
                isEthernet: interfaces[0].isEthernet)
        default: break
        }
    }

    private mutating func addInterface(_ from: Int, _ to: Int) {
        var interface = Interface(
            isEthernet: Int(half(from)) == Self.ethernet, snapLength: Int(word(from + 4)))
        var offset = from + 8
        while offset + 4 <= to {
            let code = half(offset)
            let length = Int(half(offset + 2))
            guard code != 0, offset + 4 + length <= to else { break }
            if code == 9 && length == 1 {
                let value = unsafe bytes[offset + 4]
                interface.isBinary = value & 0x80 != 0
                interface.exponent = Int(value & 0x7F)
            } else if code == 14 && length == 8 {
                let first = UInt64(word(offset + 4))
                let second = UInt64(word(offset + 8))
                interface.offset =
                    isSwapped == Self.isBigEndian
                    ? second << 32 | first : first << 32 | second
            }
            offset += 4 + (length + 3) / 4 * 4
        }
        interfaces.append(interface)
    }

    private func nanoseconds(_ ticks: UInt64, _ interface: Interface) -> UInt64 {
        let base = interface.offset &* 1_000_000_000
        if interface.isBinary {
            let product = ticks.multipliedFullWidth(by: 1_000_000_000)
            guard interface.exponent < 64 else { return base }
            let shift = UInt64(interface.exponent)
            let high = shift == 0 ? 0 : product.high << (64 - shift)
            return base &+ (high | product.low >> shift)
        }
        var value = ticks
        for _ in min(interface.exponent, 9)..<9 { value = value &* 10 }
        for _ in 9..<max(interface.exponent, 9) { value /= 10 }
        return base &+ value
    }

    // MARK: Bytes

    private mutating func add(
        _ offset: Int, _ captured: Int, original: Int, _ time: UInt64, isEthernet: Bool = true
    ) {
        lastTime = time
        guard isEthernet else {
            foreign += 1
            return
        }
        guard captured >= original, captured >= 14 else {
            truncated += 1
            return
        }
        frames.append(Capture.Frame(offset: offset, byteCount: captured, time: time))
    }

    /// The end of `count` bytes at `offset`, if they are there.
    private func fits(_ count: Int, at offset: Int) -> Int? {
        unsafe count >= 0 && count <= bytes.count - offset ? offset + count : nil
    }

    private func word(_ offset: Int) -> UInt32 {
        let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isSwapped ? value.byteSwapped : value
    }

    private func half(_ offset: Int) -> UInt16 {
        let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
        return isSwapped ? value.byteSwapped : value
    }

    private static let isBigEndian = UInt16(1).bigEndian == 1

    private func strange(_ what: String) -> GeneratorError {
        GeneratorError("capture \(path)", what, remedy: "give a pcap or pcapng file of Ethernet")
    }
}
