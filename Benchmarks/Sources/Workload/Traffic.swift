import Dataplane
import Memory
import TestKit
import Wire

/// Fills batches with the frames of one path, as receive does: into the next buffers of a pool
/// that is cut like the worker's, so that caches and page tables see what they see in life.
struct Traffic {
    /// The frame without FCS, bytes.
    static let frameByteCount = 64
    /// Those of the worker's pool: buffers for 64 KiB, an odd number of cache lines apart.
    static let bufferCount = 512
    static let bufferStride = 64 * 1093
    static let headroom = 64

    private let path: Path
    private let flowCount: Int
    private let template: [UInt8]
    private let region = PageRegion(byteCount: bufferCount * bufferStride)
    private var nextBuffer = 0
    /// One seed for all, so that two runs see the same flows in the same order.
    private var random = SeededRandom(seed: 0x7678_6761_7465)

    init(path: Path, flowCount: Int) {
        precondition(flowCount > 0 && flowCount <= 1 << 20)
        self.path = path
        self.flowCount = flowCount
        let inner = FrameBuilder.ethernet(
            destination: MACAddress(bits: AddressPlan.gatewayMAC),
            source: MACAddress(bits: AddressPlan.gatewayMAC)
        )
        .ipv4(source: IPv4Address(bits: 0), destination: IPv4Address(bits: 0))
        .udp(sourcePort: 1024, destinationPort: 9)
        .payload(count: Self.frameByteCount - 14 - 20 - 8)
        let header = FrameBuilder.empty.vxlan(VNI(bits: AddressPlan.vnis[0])).bytes
        template = (path.isTunnelled ? header : []) + inner.bytes
    }

    /// Puts `count` packets of random flows into an empty batch.
    mutating func fill(_ batch: PacketBatch, count: Int) {
        for _ in 0..<count {
            let draw = random.next() >> 32
            let flow = Int(truncatingIfNeeded: (draw &* UInt64(flowCount)) &>> 32)
            append(flow, to: batch)
        }
    }

    private mutating func append(_ flow: Int, to batch: PacketBatch) {
        let slot = nextBuffer
        nextBuffer = (nextBuffer + 1) % Self.bufferCount
        let start = unsafe region.base + slot * Self.bufferStride + Self.headroom
        unsafe template.withUnsafeBytes {
            unsafe start.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count)
        }
        let datagram = unsafe FrameView(
            base: start.assumingMemoryBound(to: UInt8.self), count: template.count)
        address(datagram.dropFirst(path.isTunnelled ? 8 : 0), flow)
        let isAppended = batch.append(
            datagram, slot: UInt32(slot), device: path.isTunnelled ? PacketBatch.underlay : 0,
            segmentation: .none,
            outerSource: path.isTunnelled ? AddressPlan.peer(flow % AddressPlan.peerCount) : 0)
        precondition(isAppended)
    }

    /// Writes the addresses of a flow into a frame.
    private func address(_ frame: FrameView, _ flow: Int) {
        let isFromRemote = path.isTunnelled
        let source = isFromRemote ? AddressPlan.remoteMAC(flow) : AddressPlan.localMAC(flow)
        let destination = isFromRemote ? AddressPlan.localMAC(flow) : AddressPlan.remoteMAC(flow)
        let ethernet = EthernetHeader(frame: frame, at: 0)
        ethernet.source = MACAddress(bits: source)
        ethernet.destination = MACAddress(
            bits: path.isRouted ? AddressPlan.gatewayMAC : destination)
        let target =
            path == .prefixes
            ? AddressPlan.prefix(flow).address.bits + 1 : AddressPlan.remoteAddress(flow)
        frame.store(AddressPlan.localAddress(flow), at: 14 + 12)
        frame.store(target, at: 14 + 16)
        IPv4Header(frame: frame, at: 14).updateChecksum()
    }
}
