/// What the route stage carries of a lane from one lookup to the next.
///
/// Layout: one word, so that it is stored and loaded at once: lane, interface, policy, flags.
struct RoutedLane: BitwiseCopyable {
    private var word: UInt64

    /// `policy` has a meaning.
    static var hasPolicy: UInt64 { @_noLocks get { 1 &<< 48 } }
    /// A TTL above one, on an interface that forwards and has no policies: the routing table alone
    /// decides.
    static var isPlain: UInt64 { @_noLocks get { 2 &<< 48 } }

    @_noLocks @inline(__always)
    init(lane: UInt8, interface: Int, isPlain: Bool = false) {
        word =
            UInt64(lane) | UInt64(UInt16(truncatingIfNeeded: interface)) &<< 16
            | (isPlain ? Self.isPlain : 0)
    }

    @_noLocks @inline(__always)
    private init(word: UInt64) { self.word = word }

    var lane: Int { @_noLocks @inline(__always) get { Int(word & 0xFF) } }

    /// The same of another lane; this one's is 0.
    @_noLocks @inline(__always)
    func of(_ lane: UInt8) -> RoutedLane { RoutedLane(word: word | UInt64(lane)) }

    /// The same by another interface.
    @_noLocks @inline(__always)
    func leaving(by interface: Int) -> RoutedLane {
        var copy = self
        copy.interface = interface
        return copy
    }

    /// Index of the interface by which the packet came in; once its next hop is known, of the one
    /// by which it leaves. There are as many as VSIs at most.
    var interface: Int {
        @_noLocks @inline(__always) get { Int(word &>> 16 & 0xFFFF) }
        @_noLocks @inline(__always) set {
            word =
                word & ~(0xFFFF &<< 16) | UInt64(UInt16(truncatingIfNeeded: newValue)) &<< 16
        }
    }

    /// Index of the policy that chose the next hop.
    var policy: Int { @_noLocks @inline(__always) get { Int(word &>> 32 & 0xFFFF) } }

    @_noLocks @inline(__always)
    mutating func setPolicy(_ index: Int) {
        word =
            word & ~(0xFFFF &<< 32) | UInt64(UInt16(truncatingIfNeeded: index)) &<< 32
            | Self.hasPolicy
    }

    @_noLocks @inline(__always)
    func has(_ flag: UInt64) -> Bool { word & flag != 0 }
}
