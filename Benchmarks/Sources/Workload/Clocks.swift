public import Dataplane

/// What some packets cost, in ticks of the CPU's constant-rate counter (on x86-64 the TSC).
public struct Clocks: Sendable {
    public let packets: Int
    /// From the first stage to the last, with what lies between them.
    public let total: UInt64
    private let stages: [UInt64]

    /// - Parameter stages: the clocks of each stage, in the order of `Stage.allCases`.
    init(packets: Int, total: UInt64, stages: [UInt64]) {
        self.packets = packets
        self.total = total
        self.stages = stages
    }

    /// The stages that a model of a gateway has: all but the two that talk to the kernel.
    public static let stages = Stage.allCases.filter { $0 != .receive && $0 != .transmit }

    public var perPacket: Double { Double(total) / Double(packets) }

    public func perPacket(_ stage: Stage) -> Double {
        Double(stages[stage.rawValue]) / Double(packets)
    }

    /// The accounts that the pipeline keeps around its stages.
    public var accountsPerPacket: Double {
        perPacket - Self.stages.reduce(0) { $0 + perPacket($1) }
    }
}
