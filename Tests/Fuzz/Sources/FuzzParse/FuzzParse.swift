import FuzzDriver
import TestKit
import Wire

/// The fuzz program of the parsers and of segmentation: any bytes as a frame and as every header.
///
/// An input is twelve bytes of offload metadata and a frame. Beyond "no trap and no access outside
/// the frame", what a parser calls valid must hold together, see `HeaderProbe` and
/// `SegmentationProbe`.
@_cdecl("FuzzParse_main")
public func fuzzParseMain(
    _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    unsafe FuzzDriver.run(
        argumentCount, arguments, seeds: fuzzParseSeeds,
        input: { bytes, count in
            let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
            guard input.count >= MetadataBytes.count else { return 0 }
            let frame = Array(input[MetadataBytes.count...])
            HeaderProbe.run(frame)
            OuterProbe.run(frame)
            SegmentationProbe.run(frame, MetadataBytes.segmentation(input))
            return 0
        })
}

private func fuzzParseSeeds() -> [[UInt8]] {
    let frames = FrameSeeds.frames(
        sender: MACAddress(bits: 0x02AA_0000_0001), destination: MACAddress(bits: 0x02BB_0000_0002),
        source: IPv4Address(bits: 0x0A01_010B), target: IPv4Address(bits: 0x0A01_010C))
    let headers: [[UInt8]] = [
        FrameBuilder.empty.vxlan(VNI(bits: 10)).bytes,
        FrameBuilder.empty.icmp(type: 8).payload(count: 8).bytes,
        FrameBuilder.encapsulated(
            inner: frames[0], vni: VNI(bits: 10), source: IPv4Address(bits: 0xC633_6401),
            destination: IPv4Address(bits: 0xC633_6402)),
    ]
    // Kind, flags, segment size, and the positions of a TCP checksum behind Ethernet and IPv4.
    let metadata: [[UInt8]] = (0..<5).map { [$0, 3, 0, 100, 0, 54, 0, 34, 0, 16, 0, 0] }
    return metadata.flatMap { start in (frames + headers).map { start + $0 } }
}
