/// What one configuration file says, checked and with every default filled in. The document is the
/// whole truth: what it does not name does not exist.
///
/// Equality compares what is configured; where it was written (`sources`) does not count.
public struct Configuration: Sendable, Equatable {
    public var system: System
    public var vtep: VTEP
    public var peers: [Peer]
    /// Always begins with `default`.
    public var vrfs: [String]
    public var vsis: [VSI]
    public var accessPorts: [AccessPort]
    public var vsiInterfaces: [VSIInterface]
    public var nativePorts: [NativePort]
    public var staticFDB: [StaticFDB]
    public var staticARP: [StaticARP]
    public var staticRoutes: [StaticRoute]
    public var policyRoutes: [PolicyRoute]
    public var timers: Timers
    public var limits: Limits
    public var control: Control
    public var metrics: Metrics?
    public var state: State
    /// Where each part was written, by key path; empty for a configuration that no text made.
    public var sources: SourceTable

    /// The VRF that exists without being named.
    public static let defaultVRF = "default"

    /// A gateway with a VTEP and nothing else; every other part has its default.
    public init(vtep: VTEP) {
        system = System()
        self.vtep = vtep
        peers = []
        vrfs = [Self.defaultVRF]
        vsis = []
        accessPorts = []
        vsiInterfaces = []
        nativePorts = []
        staticFDB = []
        staticARP = []
        staticRoutes = []
        policyRoutes = []
        timers = Timers()
        limits = Limits()
        control = Control()
        metrics = nil
        state = State()
        sources = SourceTable()
    }

    /// The peers that a broadcast of `vsi` is replicated to, in the order of the file: those of its
    /// flood list or, without one, every peer that may carry its VNI. A VSI without a VNI has none.
    public func floodPeers(of vsi: VSI) -> [Peer] {
        guard let vni = vsi.vni else { return [] }
        guard let names = vsi.floodList else { return peers.filter { $0.carries(vni) } }
        let byName = Dictionary(
            peers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return names.compactMap { byName[$0] }
    }

    /// The line of the file that says `path` (as in `vsis[0].vni`) or the nearest part around it.
    public func line(of path: String) -> Int? { sources[path]?.line }
}
