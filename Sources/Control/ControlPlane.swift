public import Wire

/// Why a request to the running gateway was not carried out. The text is one line for an operator
/// and says what to do; the case decides the HTTP status and the exit status of the command line.
public enum ControlError: Error, Equatable {
    /// The request itself makes no sense: a value is malformed or two of them contradict. HTTP 400.
    case malformed(String)
    /// Something named does not exist. HTTP 404, nothing has changed.
    case notFound(String)
    /// What exists forbids it, or it cannot be changed while running. HTTP 409, nothing has
    /// changed.
    case conflict(String)
    /// A configuration text was refused; one line for each error, `file:line:column: path: what`.
    /// HTTP 422, nothing has changed.
    case invalidConfiguration([String])
    /// The gateway cannot answer now, for example because it is stopping. HTTP 503.
    case unavailable(String)
}

/// The filters that `show` and `clear` take; every one that is set narrows the selection. Names are
/// those of the configuration; one that does not exist is `ControlError.notFound`.
public struct Selection: Sendable, Equatable {
    public var name: String?
    public var vsi: String?
    public var port: String?
    public var peer: String?
    public var interface: String?
    public var vrf: String?
    public var mac: MACAddress?
    public var address: IPv4Address?

    public init() {}
}

/// Where a static FDB entry points.
public enum FDBTarget: Sendable, Equatable {
    case port(String)
    case peer(String)
}

/// What the running gateway answers to its operators. The control server and, through it, the
/// command line know the gateway only by this.
///
/// Thread-safety: callable from any task. Every call sees the tables at one moment of the agent.
public protocol ControlPlane: Sendable {
    func version() async throws(ControlError) -> VersionReport
    func vsis(_ selection: Selection) async throws(ControlError) -> [VSIReport]
    func peers(_ selection: Selection) async throws(ControlError) -> [PeerReport]
    func ports(_ selection: Selection) async throws(ControlError) -> [PortReport]
    func fdb(_ selection: Selection) async throws(ControlError) -> Rows<FDBReport>
    func arp(_ selection: Selection) async throws(ControlError) -> Rows<ARPReport>
    func routes(_ selection: Selection) async throws(ControlError) -> [RouteReport]
    func policies(_ selection: Selection) async throws(ControlError) -> [PolicyReport]
    func counters() async throws(ControlError) -> CountersReport
    func drops() async throws(ControlError) -> [DropReport]
    func runtime() async throws(ControlError) -> RuntimeReport

    /// Sets every counter back to zero as operators see it.
    func clearCounters() async throws(ControlError)
    /// Removes the selected dynamic entries, with `includingStatic` static ones too; returns how
    /// many.
    func clearFDB(_ selection: Selection, includingStatic: Bool) async throws(ControlError) -> Int
    func clearARP(_ selection: Selection) async throws(ControlError) -> Int
    func addFDB(vsi: String, mac: MACAddress, target: FDBTarget) async throws(ControlError)
    func deleteFDB(vsi: String, mac: MACAddress) async throws(ControlError)
    func addARP(interface: String, address: IPv4Address, mac: MACAddress)
        async throws(ControlError)
    func deleteARP(interface: String, address: IPv4Address) async throws(ControlError)

    /// Sends ICMP echo requests from a VSI-interface through the dataplane and waits for what comes
    /// back; a row for each request, in order.
    func ping(_ request: PingRequest) async throws(ControlError) -> [PingReport]

    /// Makes `text` the running configuration as one change or not at all.
    /// - Parameter fileName: what the lines of errors name.
    /// - Returns: what changed, one line each; empty when nothing differs.
    func apply(text: String, fileName: String) async throws(ControlError) -> [String]
    /// The text of the running configuration.
    func configurationText() async throws(ControlError) -> String
}
