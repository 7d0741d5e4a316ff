import Dataplane
import Memory
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
    private var random = Chance(seed: 0x7678_6761_7465)

    init(path: Path, flowCount: Int) {
        precondition(flowCount > 0 && flowCount <= 1 << 20)
        self.path = path
        self.flowCount = flowCount
        template = Self.template(isTunnelled: path.isTunnelled)
    }

    /// UDP to the discard port without a checksum, addresses left out.
    private static func template(isTunnelled: Bool) -> [UInt8] {
        let start = isTunnelled ? VXLANHeader.byteCount : 0
        var bytes = [UInt8](repeating: 0, count: start + frameByteCount)
        unsafe bytes.withUnsafeMutableBufferPointer {
            let datagram = unsafe FrameView(base: $0.baseAddress.unsafelyUnwrapped, count: $0.count)
            if isTunnelled {
                VXLANHeader(frame: datagram, at: 0).emit(vni: VNI(bits: AddressPlan.vnis[0]))
            }
            let frame = datagram.dropFirst(start)
            frame.store(EtherType.ipv4, at: 12)
            let length = frameByteCount - EthernetHeader.byteCount
            IPv4Header(frame: frame, at: EthernetHeader.byteCount).emit(
                source: IPv4Address(bits: 0), destination: IPv4Address(bits: 0),
                protocolNumber: ProtocolNumber.udp, totalLength: length, timeToLive: 64,
                typeOfService: 0, identification: 1, dontFragment: false)
            let transport = EthernetHeader.byteCount + IPv4Header.byteCount
            frame.store(1024 as UInt16, at: transport)
            frame.store(9 as UInt16, at: transport + 2)
            frame.store(UInt16(length - IPv4Header.byteCount), at: transport + 4)
        }
        return bytes
    }

    /// Puts `count` packets of random flows into an empty batch.
    mutating func fill(_ batch: PacketBatch, count: Int) {
        for _ in 0..<count { append(random.draw(below: flowCount), to: batch) }
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
