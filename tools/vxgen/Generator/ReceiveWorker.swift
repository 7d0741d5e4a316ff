internal import CLinux
internal import Memory
internal import Synchronization
internal import Uring
internal import Wire

/// A receiving thread: one standing receive on a port, and an observer of what comes.
///
/// Thread-safety: made, run and closed on its own thread.
@safe
struct ReceiveWorker {
    static var bufferCount: Int { @_noLocks get { 1024 } }
    /// Room for a super-packet of 64 KiB and what the kernel puts before it; pages that no packet
    /// reaches cost nothing.
    static var bufferLength: Int { @_noLocks get { 65_536 + 256 } }
    static var stride: Int { @_noLocks get { bufferLength &+ 64 } }
    static var batch: Int { @_noLocks get { 256 } }
    /// A request to stop is noticed after so long at the latest.
    static var idleTime: Int64 { @_noLocks get { 10_000_000 } }

    private let ring: UringInstance
    private let memory: PageRegion
    private let buffers: BufferRing
    private let receiver: MultishotReceiver
    private let kind: FramePort.Kind
    private let observer: Observer
    private let completions: UnsafeMutablePointer<Completion>

    init(_ port: FramePort, observer: Observer) throws(UringError) {
        ring = try UringInstance(entries: 64, completionEntries: 4096)
        ring.reserveFiles(1)
        memory = PageRegion(byteCount: Self.bufferCount * Self.stride)
        buffers = try unsafe BufferRing(
            ring: ring, groupID: 1, count: Self.bufferCount, base: memory.base,
            slotStride: Self.stride, headroom: 64, bufferLength: Self.bufferLength)
        kind = port.kind
        let receives: MultishotReceiver.Kind =
            switch port.kind {
            case .messages: .packets
            case .tap: UringFeatures(probing: ring).hasMultishotRead ? .frames : .singleFrames
            case .datagrams: .datagrams
            }
        receiver = MultishotReceiver(
            kind: receives, file: ring.register(port.descriptor), buffers: buffers, userData: 1)
        self.observer = observer
        unsafe completions = .allocate(capacity: Self.batch)
        receiver.armIfNeeded(on: ring)
        ring.submit()
    }

    func close() {
        buffers.close()
        ring.close()
        receiver.close()
        observer.deallocate()
        unsafe completions.deallocate()
    }

    func run(_ link: ReceiveLink) {
        while !link.shouldStop.load(ordering: .relaxed) { turn() }
    }

    @_noLocks
    private func turn() {
        let count = unsafe ring.reap(into: completions, limit: Self.batch)
        guard count > 0 else {
            receiver.armIfNeeded(on: ring)
            if receiver.isPaused { receiver.retry() }
            ring.submit(waitFor: 1, timeoutNanoseconds: Self.idleTime)
            return
        }
        // All of them had arrived by now: latencies are never too short.
        let now = vx_monotonic_nanoseconds()
        for index in 0..<count {
            let completion = unsafe completions[index]
            guard completion.userData == receiver.userData else { continue }
            receiver.accept(completion)
            observe(completion, now)
            if completion.hasBuffer { buffers.recycle(completion.bufferID) }
        }
        buffers.publish()
        receiver.armIfNeeded(on: ring)
    }

    @_noLocks
    private func observe(_ completion: Completion, _ now: UInt64) {
        switch kind {
        case .messages:
            guard let packet = ReceivedPacket.parse(completion, in: buffers) else { return }
            let frame = unsafe FrameView(base: packet.frame, count: packet.frameLength)
            let tag = packet.vlanTCI == nil ? 0 : EthernetHeader.tagByteCount
            observe(frame, packet.offload, strippedBytes: tag, now)
        case .tap:
            guard let packet = ReceivedFrame.parse(completion, in: buffers) else { return }
            let frame = unsafe FrameView(base: packet.frame, count: packet.frameLength)
            observe(frame, packet.offload, strippedBytes: 0, now)
        case .datagrams:
            guard let datagram = ReceivedDatagram.parse(completion, in: buffers) else { return }
            observe(datagram, now)
        }
    }

    @_noLocks
    private func observe(
        _ frame: FrameView, _ offload: OffloadHeader, strippedBytes: Int, _ now: UInt64
    ) {
        let isDatagrams = offload.segmentationKind == OffloadHeader.Segmentation.udp.rawValue
        observer.observe(
            frame, segmentSize: isDatagrams ? Int(offload.segmentSize) : 0,
            isChecksumPartial: offload.needsChecksum, strippedBytes: strippedBytes, time: now)
    }

    /// Takes the frames out of a datagram, or out of several that the kernel coalesced.
    @_noLocks
    private func observe(_ datagram: ReceivedDatagram, _ now: UInt64) {
        let size = datagram.segmentSize > 0 ? datagram.segmentSize : datagram.payloadLength
        let all = unsafe FrameView(base: datagram.payload, count: datagram.payloadLength)
        var offset = 0
        while offset < datagram.payloadLength {
            let part = all.dropFirst(offset).prefix(min(size, datagram.payloadLength &- offset))
            if case .valid = VXLANHeader(frame: part, at: 0).check() {
                observer.observe(
                    part.dropFirst(VXLANHeader.byteCount), segmentSize: 0,
                    isChecksumPartial: false, strippedBytes: 0, time: now)
            }
            offset &+= size
        }
    }
}
