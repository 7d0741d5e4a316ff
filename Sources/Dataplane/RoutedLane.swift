/// What the route stage carries of a lane from one lookup to the next.
///
/// Layout: one word.
struct RoutedLane: BitwiseCopyable {
    var lane: UInt16
    /// Index of the interface by which the packet came in; once its next hop is known, of the one
    /// by which it leaves. There are as many as VSIs at most.
    var interface: UInt16
    /// Index of the policy that chose the next hop.
    var policy: UInt16
    var flags: UInt16

    /// `policy` has a meaning.
    static var hasPolicy: UInt16 { @_noLocks get { 1 } }
    /// A TTL above one, on an interface that forwards and has no policies: the routing table alone
    /// decides.
    static var isPlain: UInt16 { @_noLocks get { 2 } }

    @_noLocks
    init(lane: UInt16, interface: UInt16, flags: UInt16 = 0) {
        self.lane = lane
        self.interface = interface
        policy = 0
        self.flags = flags
    }

    @_noLocks
    func has(_ flag: UInt16) -> Bool { flags & flag != 0 }
}
