public import Memory
public import Tables
public import Wire

/// The control side of one gateway, and the only writer of its tables: it learns what workers
/// report, ages what they no longer see, and carries out what configuration and operators ask.
///
/// A state machine without a clock or a system call: time and input come in with every call, so
/// that the same code runs under the kernel, in tests and in simulation.
///
/// Thread-safety: one thread at a time; workers meet it only through what `snapshot` publishes.
public final class Agent {
    /// Things counted that are not packets.
    public struct Events: Sendable, Equatable {
        /// Addresses not learnt because their VSI had reached its limit.
        public var fdbLimit: UInt64 = 0
        public var fdbMoves: UInt64 = 0
        /// Addresses frozen because they moved too often.
        public var fdbFrozen: UInt64 = 0
        /// The same for entries of the ARP table; and what was refused because of it.
        public var arpMoves: UInt64 = 0
        public var arpFrozen: UInt64 = 0
        public var arpRefused: UInt64 = 0
        /// Addresses not learnt because the ARP table had reached its limit.
        public var arpLimit: UInt64 = 0
        /// Packets that waited and were dropped: for newer ones, or because nobody answered.
        public var heldOverflow: UInt64 = 0
        public var heldFailed: UInt64 = 0
        /// Of those nobody answered for, the ones whose sender was not told for the sake of the
        /// rate.
        public var icmpRateLimited: UInt64 = 0

        public init() {}
    }

    public internal(set) var configuration: Configuration
    public internal(set) var environment: Environment
    public internal(set) var events = Events()
    var layout = GatewayLayout()
    let writer: TableWriter

    /// Learnt entries of each VSI, for its limit.
    var learnedCount: [Int: Int] = [:]
    /// How often an address moved, for those that did.
    var moves: [UInt64: Int] = [:]
    var macMoves: MoveDampener
    var addressMoves: MoveDampener
    var notices = NoticeBoard()
    /// Static entries that the configuration made; the operator's are those not in it.
    var configuredFDB: [UInt64: UInt32] = [:]
    var configuredARP: [UInt64: MACAddress] = [:]
    /// Addresses being asked for, and until when those that did not answer are not asked for again.
    var resolutions: [UInt64: Resolution] = [:]
    var failures: [UInt64: UInt64] = [:]
    /// Those that are asked for because packets wait, and not to refresh an entry.
    var unresolved = UnresolvedQueue()
    /// When those that made room for others may be asked for again.
    var rests: [UInt64: UInt64] = [:]
    /// When the questions, and the failures, are due.
    var questions = DeadlineQueue()
    var failureEnds = DeadlineQueue()
    var restEnds = DeadlineQueue()
    var heldBytes = 0
    /// The budget for ICMP errors, which is the workers' as well; nil is no limit.
    public var icmpPolicer: Policer?
    /// Who waits for an answer about an address, by neighbor key.
    var pending: [UInt64: Pending] = [:]
    var pendingEnds = DeadlineQueue()
    /// What hosts have asked, and gateways behind tunnels were told of, a moment ago.
    var passedOn = QuestionLimiter()
    /// What the underlay has said about the path to a peer, bytes, by index.
    public internal(set) var pathMTUs: [Int: Int] = [:]
    /// Where ARP said that neighbors are which have followed their MAC address since.
    var moved: [UInt64: Destination] = [:]
    /// Hosts that have just come from a peer, by neighbor key.
    var arrivals: [UInt64: HostArrival] = [:]
    /// What the workers are to send.
    var orders: [AgentOrder] = []
    /// Packets of the gateway's own that cannot be delivered.
    var refusals: [OwnRefusal] = []

    /// Quarters of a second: what ages are counted in.
    public static let ticksPerSecond: UInt32 = 4
    /// Learnt addresses of the whole gateway.
    static let maximumLearned = 4 << 20
    var maximumNeighbors = 1 << 17
    /// VTEPs that traffic alone made known, under `accept-unknown-peers`.
    static let maximumUnknownPeers = 4096

    /// - Parameter workers: how many threads read the tables.
    public init(
        configuration: Configuration, environment: Environment, workers: Int, now: UInt64
    ) {
        self.configuration = configuration
        self.environment = environment
        writer = TableWriter(readers: workers, time: Self.ticks(now))
        macMoves = MoveDampener(Self.moveSettings(configuration))
        addressMoves = macMoves
        adopt(configuration, environment, now: now)
        synchronizeStatic(time: Self.ticks(now))
    }

    /// What workers observe.
    public var snapshot: Snapshot { writer.snapshot }

    /// Quarters of a second of the monotonic clock.
    @_noLocks
    public static func ticks(_ nanoseconds: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: nanoseconds / 250_000_000)
    }

    /// The ports of a device, for what concerns the device as a whole.
    public func deviceIndex(_ key: DeviceKey) -> Int? { layout.devices[key] }
    public var devices: [DeviceKey: Int] { layout.devices.indexes }
    public var portNames: [String: Int] { layout.ports.indexes }
    public var vsiNames: [String: Int] { layout.vsis.indexes }
    public var peerIndexes: [IPv4Address: Int] { layout.peers.indexes }
    /// The hit counters of policy routes.
    public var policyNames: [String: Int] { layout.policyNames.indexes }
    /// The device of each port, by index.
    public var deviceOfPort: [Int: Int] {
        layout.portOf.mapValues { layout.devices[DeviceKey($0)]! }
    }

    /// Work that time brings: ageing, and giving back what workers have let go of. Called a few
    /// times a second.
    public func tick(now: UInt64) {
        resolve(now: now)
        thaw(now: now)
        forgetAskers(now: now)
        age(now: now)
        writer.reclaim()
    }

    /// What the workers are to send since the last call, in order.
    public func takeOrders() -> [AgentOrder] {
        defer { orders = [] }
        return orders
    }

    /// When the agent wants to be called again at the latest, nanoseconds; nil when it has nothing
    /// to wait for.
    public var nextDue: UInt64? {
        [questions.next, failureEnds.next].compactMap(\.self).min()
    }

    /// What the kernel knows of the path to a peer: 0 when it is no shorter than the underlay's.
    public func setPathMTU(_ bytes: Int, peer: Int) {
        guard pathMTUs[peer] ?? 0 != bytes else { return }
        pathMTUs[peer] = bytes == 0 ? nil : bytes
        publish()
    }

    /// Takes a whole new configuration, as one change.
    public func apply(
        _ configuration: Configuration, _ environment: Environment, now: UInt64
    ) {
        adopt(configuration, environment, now: now)
        synchronizeStatic(time: Self.ticks(now))
        writer.reviewAges()
        macMoves.adopt(moveSettings, now: now)
        addressMoves.adopt(moveSettings, now: now)
    }

    /// Takes a change of the host: link state, MTU, address. The static entries stay as the
    /// operator has left them.
    public func update(_ environment: Environment, now: UInt64) {
        let wentDown = self.environment.devicesUp.subtracting(environment.devicesUp)
        adopt(configuration, environment, now: now)
        let ports = layout.portOf.filter { wentDown.contains(DeviceKey($0.value)) }
        for index in ports.keys { forget(.port(index)) }
    }

    /// Removes what was learnt behind a place that is gone or down.
    func forget(_ place: Destination) {
        removeForwarding { _, _, value in
            ForwardingTable.kind(of: value) == .dynamic
                && ForwardingTable.destination(of: value) == place
        }
        removeNeighbors { _, value in
            !NeighborTable.isStatic(value) && self.egress(of: value) == place
        }
    }

    private func adopt(
        _ configuration: Configuration, _ environment: Environment, now: UInt64
    ) {
        let before = layout
        self.configuration = configuration
        self.environment = environment
        layout.adopt(configuration, now: now)
        removeOrphans(before: before)
        forgetWaiting(before: before)
        forgetOutsiders()
        let builder = TableSetBuilder(
            configuration: configuration, layout: layout, environment: environment)
        // Own addresses first: from the moment the new set is in force nobody else may claim them.
        synchronizeOwn(builder, time: Self.ticks(now))
        pathMTUs = pathMTUs.filter { layout.peers.name(of: $0.key) != nil }
        publish()
        writer.reclaim()
    }

    /// Puts a fresh set of tables in force.
    func publish() {
        let builder = TableSetBuilder(
            configuration: configuration, layout: layout, environment: environment,
            pathMTUs: pathMTUs)
        writer.publish(
            builder.build(
                forwarding: writer.forwarding,
                neighbors: writer.neighborTable))
    }

    /// What the tables still say about VSIs, ports and peers that are gone or have left a VSI.
    private func removeOrphans(before: GatewayLayout) {
        removeForwarding { _, key, value in
            self.isGone(
                ForwardingTable.destination(of: value), vsi: ForwardingTable.vsi(of: key), before)
        }
        removeNeighbors { key, value in
            self.isGone(self.egress(of: value), vsi: NeighborTable.vsi(of: key), before)
        }
    }

    /// The place is no more, is not in the VSI any longer, or somebody else has its index or the
    /// VSI's.
    func isGone(_ place: Destination, vsi: Int, _ before: GatewayLayout) -> Bool {
        guard layout.vsiOf[vsi]?.name == before.vsiOf[vsi]?.name else { return true }
        switch place.kind {
        case .port:
            return layout.vsi(ofPort: place.index) != vsi
                || layout.portOf[place.index]?.name != before.portOf[place.index]?.name
        case .peer:
            return !layout.peer(place.index, carries: vsi)
                || layout.peers.name(of: place.index) != before.peers.name(of: place.index)
        case .own, .none:
            return false
        }
    }

    // MARK: Removing

    /// Removes the FDB entries that `condition` picks; returns how many.
    @discardableResult
    func removeForwarding(
        where condition: (_ slot: Int, _ key: UInt64, _ value: UInt32) -> Bool
    ) -> Int {
        var removed = 0
        writer.forwarding.visit { slot, key, value in
            guard condition(slot, key, value) else { return }
            removeForwarding(slot, key, value)
            removed += 1
        }
        return removed
    }

    func removeForwarding(_ slot: Int, _ key: UInt64, _ value: UInt32) {
        if ForwardingTable.kind(of: value) == .dynamic {
            learnedCount[ForwardingTable.vsi(of: key), default: 1] -= 1
        }
        moves[key] = nil
        macMoves.forget(key)
        configuredFDB[key] = nil
        writer.removeForwarding(at: slot)
    }

    /// Takes an ARP entry out; what waited for it is dropped.
    func forgetNeighbor(_ key: UInt64, at slot: Int) {
        configuredARP[key] = nil
        failures[key] = nil
        moved[key] = nil
        addressMoves.forget(key)
        abandon(key)
        writer.removeNeighbor(at: slot)
    }

    /// Where the packet that made an ARP entry came from.
    func egress(of value: UInt32) -> Destination {
        writer.neighborTable.egress(of: value)
    }

    func mac(ofNeighbor value: UInt32) -> MACAddress? {
        guard NeighborTable.isResolved(value) else { return nil }
        return MACAddress(bits: writer.neighborTable.mac(of: value))
    }

    @discardableResult
    func removeNeighbors(where condition: (_ key: UInt64, _ value: UInt32) -> Bool) -> Int {
        var removed = 0
        writer.neighbors.visit { slot, key, value in
            guard condition(key, value) else { return }
            forgetNeighbor(key, at: slot)
            removed += 1
        }
        return removed
    }
}
