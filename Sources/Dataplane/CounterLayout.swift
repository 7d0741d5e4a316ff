public import Memory

/// Which word of a `CounterPage` counts what. Every worker has a page of its own, and the agent one
/// for what it counts itself; what operators see is the sum.
public enum CounterLayout {
    /// The five counters of a stage.
    public enum StageField: Int, CaseIterable, Sendable {
        case packets, bytes, drops, vectors, clocks
    }

    public enum Total: Int, CaseIterable, Sendable {
        /// Frames taken from the kernel, and those the gateway itself originated.
        case received
        case transmitted, replicated, consumed, originated
        /// Packets given to the agent to wait, and those that came back or were dropped there.
        case held, released
    }

    /// Things worth knowing that are not drops, under `events` of `show counters`.
    public enum Event: Int, CaseIterable, Sendable {
        case fdbLimit, reservedBitsSeen, arpGratuitous, arpProbeNotProxied, icmpRateLimited
        case fdbMoves, multishotRearmed, checksumCompleted, arpSuppressed, arpAnswered
        case learnRingFull, superPackets, arpConflict

        /// The JSON name: the case in snake case.
        public var name: String {
            "\(self)".reduce(into: "") { name, letter in
                name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
            }
        }
    }

    public enum Runtime: Int, CaseIterable, Sendable {
        case turns, wakeups, submissions, completions, blockedNanoseconds, busyNanoseconds
    }

    public enum PortField: Int, CaseIterable, Sendable {
        case rxPackets, rxBytes, txPackets, txBytes, rxDrops, txDrops
    }

    public enum PeerField: Int, CaseIterable, Sendable {
        case rxPackets, rxBytes, txPackets, txBytes
    }

    public enum VSIField: Int, CaseIterable, Sendable {
        case rxPackets, txPackets, floodedPackets
    }

    /// Limits of a gateway; a configuration beyond them is refused.
    public static let maximumPorts = 8192
    public static let maximumPeers = 65_535
    public static let maximumVSIs = 65_535
    public static let maximumPolicies = 65_535

    static let dropBase = 64
    static let totalBase = 192
    static let eventBase = 208
    static let runtimeBase = 240
    static let portBase = 256
    static let peerBase = portBase + maximumPorts * 8
    static let vsiBase = peerBase + (maximumPeers + 1) * 4
    static let policyBase = vsiBase + (maximumVSIs + 1) * 4
    /// Words of a page.
    public static let count = policyBase + maximumPolicies

    @_noLocks
    public static func index(_ stage: Stage, _ field: StageField) -> Int {
        stage.rawValue &* 5 &+ field.rawValue
    }
    @_noLocks
    public static func index(_ reason: DropReason) -> Int { dropBase &+ Int(reason.rawValue) }
    @_noLocks
    public static func index(_ total: Total) -> Int { totalBase &+ total.rawValue }
    @_noLocks
    public static func index(_ event: Event) -> Int { eventBase &+ event.rawValue }
    @_noLocks
    public static func index(_ runtime: Runtime) -> Int { runtimeBase &+ runtime.rawValue }
    @_noLocks
    public static func index(port: Int, _ field: PortField) -> Int {
        portBase &+ port &* 8 &+ field.rawValue
    }
    @_noLocks
    public static func index(peer: Int, _ field: PeerField) -> Int {
        peerBase &+ peer &* 4 &+ field.rawValue
    }
    @_noLocks
    public static func index(policy: Int) -> Int { policyBase &+ policy }
    @_noLocks
    public static func index(vsi: Int, _ field: VSIField) -> Int {
        vsiBase &+ vsi &* 4 &+ field.rawValue
    }
}

/// The counters of one thread under their names.
public struct Counters: Sendable {
    public let page: CounterPage

    /// - Parameter region: at least `CounterLayout.count` words.
    public init(region: PageRegion) {
        page = CounterPage(region: region, count: CounterLayout.count)
    }

    @_noLocks
    public func count(_ reason: DropReason, _ packets: UInt64 = 1) {
        page.add(packets, to: CounterLayout.index(reason))
    }
    @_noLocks
    public func count(_ event: CounterLayout.Event, _ amount: UInt64 = 1) {
        page.add(amount, to: CounterLayout.index(event))
    }
    @_noLocks
    public func add(_ amount: UInt64, _ total: CounterLayout.Total) {
        page.add(amount, to: CounterLayout.index(total))
    }
    @_noLocks
    public func add(_ amount: UInt64, _ runtime: CounterLayout.Runtime) {
        page.add(amount, to: CounterLayout.index(runtime))
    }
    @_noLocks
    public func add(_ amount: UInt64, port: Int, _ field: CounterLayout.PortField) {
        page.add(amount, to: CounterLayout.index(port: port, field))
    }
    @_noLocks
    public func add(_ amount: UInt64, peer: Int, _ field: CounterLayout.PeerField) {
        page.add(amount, to: CounterLayout.index(peer: peer, field))
    }
    @_noLocks
    public func add(_ amount: UInt64, vsi: Int, _ field: CounterLayout.VSIField) {
        page.add(amount, to: CounterLayout.index(vsi: vsi, field))
    }

    @_noLocks
    public func add(_ amount: UInt64, policy: Int) {
        page.add(amount, to: CounterLayout.index(policy: policy))
    }

    /// One run of a stage over a vector.
    @_noLocks
    public func record(_ stage: Stage, packets: Int, bytes: UInt64, clocks: UInt64) {
        page.add(UInt64(truncatingIfNeeded: packets), to: CounterLayout.index(stage, .packets))
        page.add(bytes, to: CounterLayout.index(stage, .bytes))
        page.add(1, to: CounterLayout.index(stage, .vectors))
        page.add(clocks, to: CounterLayout.index(stage, .clocks))
    }
}
