import TestKit
import Testing
import Wire

@Suite struct VXLANHeaderTests {
    let arena = FrameArena()

    @Test(arguments: [0, 1, 10, 0x12_3456, 0xFF_FFFF] as [UInt32])
    func `What was emitted is read`(vni: UInt32) {
        let frame = arena.frame(count: 8)
        let header = VXLANHeader(frame: frame, at: 0)
        header.emit(vni: VNI(bits: vni))
        #expect(header.check() == .valid)
        #expect(header.vni.bits == vni && !header.hasReservedBits)
        #expect(frame.bytes == FrameBuilder.empty.vxlan(VNI(bits: vni)).bytes)
    }

    @Test func `A header cut short or without the I flag is refused`() {
        let bytes = FrameBuilder.empty.vxlan(VNI(bits: 10)).bytes
        arena.forEachTruncation(of: bytes) {
            #expect(VXLANHeader(frame: $0, at: 0).check() == .truncated)
        }
        for flags in UInt8.min...UInt8.max {
            let frame = arena.frame(FrameBuilder.empty.vxlan(VNI(bits: 10), flags: flags).bytes)
            let expected: VXLANHeader.Check = flags & 8 == 0 ? .missingIdentifierFlag : .valid
            #expect(VXLANHeader(frame: frame, at: 0).check() == expected)
        }
    }

    @Test func `Each flipped bit is the I flag, a reserved bit or the VNI`() {
        let bytes = FrameBuilder.empty.vxlan(VNI(bits: 10)).bytes
        arena.forEachFlip(of: bytes) { frame, _ in
            let header = VXLANHeader(frame: frame, at: 0)
            let seen = [
                header.check() != .valid, header.hasReservedBits, header.vni.bits != 10,
            ].filter { $0 }
            #expect(seen.count == 1)
        }
    }
}
