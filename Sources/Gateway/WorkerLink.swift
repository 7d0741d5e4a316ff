internal import CLinux
internal import Control
internal import Dataplane
internal import Memory
internal import Synchronization
internal import Uring

/// What one worker and the control side share: two rings, counters, and the words by which they
/// wake and stop each other.
///
/// | control | worker |
/// |---|---|
/// | pushes `controlToWorker`, `framesToWorker` | pops them |
/// | pops `workerToAgent`, `framesToAgent` | pushes them |
/// | writes `progress` | reads it |
/// | reads `counters`, writes `shouldStop` | writes `counters`, `acknowledged`, `buffersInUse` |
///
/// Thread-safety: as the table says; `wake` may be called by anybody.
final class WorkerLink: Sendable {
    let number: Int
    let workerToAgent: SPSCRing<PuntEvent>
    let controlToWorker: SPSCRing<WorkerCommand>
    /// Packets that wait, ARP for the proxy, and what the sender of a packet is to hear about.
    let framesToAgent: FrameRing<PuntHeader>
    /// Frames of the gateway's own, and packets that have waited.
    let framesToWorker: FrameRing<OrderHeader>
    /// What the agent has done of what came by `framesToAgent`.
    let progress = AgentProgress()
    let counters: Counters
    private let counterRegion: PageRegion
    let shouldStop = Atomic<Bool>(false)
    /// Devices detached so far.
    let acknowledged = Atomic<Int>(0)
    let buffersInUse = Atomic<Int>(0)
    /// The worker reads this eventfd through its ring.
    let wakeDescriptor: OwnedDescriptor
    /// The agent polls this one.
    let agentDescriptor: OwnedDescriptor

    /// Learning bursts of 16,384 addresses before anything has to be told twice.
    static let puntCapacity = 16_384
    static let commandCapacity = 4096
    /// Bytes; room for a few super-packets among many ARP packets.
    static let frameCapacity = 1 << 20

    init(number: Int, agentDescriptor: OwnedDescriptor) throws(GatewayError) {
        self.number = number
        workerToAgent = SPSCRing(capacity: Self.puntCapacity, filler: .filler)
        controlToWorker = SPSCRing(capacity: Self.commandCapacity, filler: .filler)
        framesToAgent = FrameRing(capacity: Self.frameCapacity)
        framesToWorker = FrameRing(capacity: Self.frameCapacity)
        counterRegion = PageRegion(byteCount: CounterLayout.count * 8)
        counters = Counters(region: counterRegion)
        let wake = vx_eventfd()
        guard wake >= 0 else {
            throw GatewayError("worker \(number): no eventfd: raise the limit of open files")
        }
        wakeDescriptor = OwnedDescriptor(wake)
        self.agentDescriptor = agentDescriptor
    }

    deinit {
        workerToAgent.deallocate()
        controlToWorker.deallocate()
        framesToAgent.deallocate()
        framesToWorker.deallocate()
        progress.deallocate()
    }

    func wake() { _ = vx_eventfd_signal(wakeDescriptor.number) }
}
