internal import CLinux
internal import Memory
internal import Synchronization
internal import Uring
internal import Wire

/// The receiving thread: one standing receive on a packet socket, and an observer of what comes.
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
    private let observer: Observer
    private let completions: UnsafeMutablePointer<Completion>

    init(_ socket: PacketSocket, observer: Observer) throws(UringError) {
        ring = try UringInstance(entries: 64, completionEntries: 4096)
        ring.reserveFiles(1)
        memory = PageRegion(byteCount: Self.bufferCount * Self.stride)
        buffers = try unsafe BufferRing(
            ring: ring, groupID: 1, count: Self.bufferCount, base: memory.base,
            slotStride: Self.stride, headroom: 64, bufferLength: Self.bufferLength)
        receiver = MultishotReceiver(
            kind: .packets, file: ring.register(socket.descriptor), buffers: buffers, userData: 1)
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
            if let packet = ReceivedPacket.parse(completion, in: buffers) {
                let frame = unsafe FrameView(base: packet.frame, count: packet.frameLength)
                let isDatagrams =
                    packet.offload.segmentationKind == OffloadHeader.Segmentation.udp.rawValue
                observer.observe(
                    frame, segmentSize: isDatagrams ? Int(packet.offload.segmentSize) : 0,
                    isChecksumPartial: packet.offload.needsChecksum, time: now)
            }
            if completion.hasBuffer { buffers.recycle(completion.bufferID) }
        }
        buffers.publish()
        receiver.armIfNeeded(on: ring)
    }
}
