/// Which hosts are emulated, where, and what they do by themselves.
public struct AnswerPlan: Sendable {
    public var ports: [RunPlan.Input]
    public var hosts: HostSpace
    /// VLAN tag of announcements; 0 is none. Answers have the tag of the question.
    public var vlan: UInt16 = 0
    /// UDP datagrams are sent back.
    public var reflects = false
    /// Announcements a second with which every host begins; nil is none.
    public var announceRate: Double?
    /// Hosts a second that move to another port and announce themselves there; nil is none.
    public var moveRate: Double?
    /// Nanoseconds; nil is until told to stop.
    public var duration: UInt64?
    public var seed: UInt64 = 1

    public static let maximumPorts = 16

    public init(ports: [RunPlan.Input], hosts: HostSpace) {
        precondition((1...Self.maximumPorts).contains(ports.count))
        self.ports = ports
        self.hosts = hosts
    }
}
