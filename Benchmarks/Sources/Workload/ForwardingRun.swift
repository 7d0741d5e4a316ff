import CLinux
import Dataplane
import Memory

/// One path at one number of flows, ready to be run for some turns at a time.
///
/// A turn is what a worker's turn is without the kernel: 256 frames appear, cross the stages and
/// become outputs, which are forgotten. Making the frames is not part of the measured clocks.
public final class ForwardingRun {
    /// Packets of a turn: as many as a batch holds.
    public static let vectorLength = PacketBatch.laneCapacity

    public let path: Path
    public let flowCount: Int
    private let gateway: ModelGateway
    private var traffic: Traffic

    public init(path: Path, flowCount: Int) {
        self.path = path
        self.flowCount = flowCount
        gateway = ModelGateway(path: path, flowCount: flowCount)
        traffic = Traffic(path: path, flowCount: flowCount)
    }

    /// Runs `turns` turns and says what they cost. Every packet must have left, or the figures
    /// would be those of something else.
    public func run(turns: Int) -> Clocks {
        let page = gateway.pipeline.counters.page
        let before = Stage.allCases.map { page.read(CounterLayout.index($0, .clocks)) }
        var total: UInt64 = 0
        for _ in 0..<turns { total &+= turn() }
        let stages = Stage.allCases.map {
            page.read(CounterLayout.index($0, .clocks)) - before[$0.rawValue]
        }
        return Clocks(packets: turns * Self.vectorLength, total: total, stages: stages)
    }

    private func turn() -> UInt64 {
        let batch = gateway.pipeline.batch
        batch.removeAll()
        if path == .refresh { batch.coarseTime.value &+= 1 }
        traffic.fill(batch, count: Self.vectorLength)
        var cursor = ReplicateStage.Cursor()
        let start = vx_clocks()
        gateway.pipeline.process()
        let isComplete = gateway.pipeline.makeOutputs(&cursor)
        let clocks = vx_clocks() &- start
        precondition(
            isComplete && batch.outputCount.value == Self.vectorLength
                && gateway.isSilent,
            "a packet was dropped, copied or punted on the path \(path)")
        return clocks
    }
}
