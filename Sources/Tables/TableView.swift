public import Memory

/// A published `TableSet` where it lies: what the stages are given, a pointer instead of forty
/// words.
///
/// Thread-safety and lifetime: those of `TableSet`; good until the worker's next turn.
@safe
public struct TableView: Sendable {
    // The set behind it does not change; see TableSet for the two tables that do.
    nonisolated(unsafe) private let set: UnsafePointer<TableSet>

    /// - Parameter set: outlives the view.
    @_noLocks
    public init(_ set: UnsafePointer<TableSet>) { unsafe self.set = set }

    public var forwarding: ForwardingTable { @_noLocks get { unsafe set.pointee.forwarding } }
    public var neighbors: NeighborTable { @_noLocks get { unsafe set.pointee.neighbors } }
    public var vsis: Column<VSIRecord> { @_noLocks get { unsafe set.pointee.vsis } }
    public var ports: Column<PortRecord> { @_noLocks get { unsafe set.pointee.ports } }
    public var devices: Column<DeviceRecord> { @_noLocks get { unsafe set.pointee.devices } }
    public var vlanPorts: Column<Int32> { @_noLocks get { unsafe set.pointee.vlanPorts } }
    public var peers: Column<PeerRecord> { @_noLocks get { unsafe set.pointee.peers } }
    public var interfaces: Column<InterfaceRecord> {
        @_noLocks get { unsafe set.pointee.interfaces }
    }
    public var subnets: Column<SubnetRecord> { @_noLocks get { unsafe set.pointee.subnets } }
    public var nextHops: Column<NextHopRecord> { @_noLocks get { unsafe set.pointee.nextHops } }
    public var policies: Column<PolicyRecord> { @_noLocks get { unsafe set.pointee.policies } }
    public var floodTargets: Column<Destination> {
        @_noLocks get { unsafe set.pointee.floodTargets }
    }
    public var routes: RouteTable { @_noLocks get { unsafe set.pointee.routes } }
    public var vsiOfVNI: FixedMap { @_noLocks get { unsafe set.pointee.vsiOfVNI } }
    public var peerOfAddress: FixedMap { @_noLocks get { unsafe set.pointee.peerOfAddress } }
    public var membership: FixedMap { @_noLocks get { unsafe set.pointee.membership } }
    public var certainTunnelMTU: Int { @_noLocks get { unsafe set.pointee.certainTunnelMTU } }
    public var settings: TableSet.Settings { @_noLocks get { unsafe set.pointee.settings } }
}
