import Control
import HTTPTypes
import Hummingbird

/// One path of the API: what it takes and how it is answered.
struct ControlRoute: Sendable {
    let method: HTTPRequest.Method
    /// As Hummingbird writes it: `/v1/fdb/{vsi}/{mac}`.
    let path: String
    let filters: [Filter]
    let answer: @Sendable (Question) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, filters: [Filter] = [],
        answer: @escaping @Sendable (Question) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.filters = filters
        self.answer = answer
    }

    /// `GET /v1/fdb`.
    var name: String { "\(method.rawValue) \(path)" }
}

/// Every path the server knows, in one list: the router, the tests and the check of the OpenAPI
/// document read it.
struct ControlRoutes: Sendable {
    let plane: any ControlPlane
    let limits: ControlServer.Limits

    var all: [ControlRoute] { tables + counters + changes + configuration + service }

    func router(
        where isServed: (ControlRoute) -> Bool = { _ in true }
    ) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ErrorAnswers())
        for route in all where isServed(route) {
            router.on(RouterPath(route.path), method: route.method) { [limits] request, context in
                let question = try Question(
                    request: request, parameters: context.parameters, route: route, limits: limits)
                return try await route.answer(question)
            }
        }
        return router
    }

    private var tables: [ControlRoute] {
        [
            ControlRoute(.get, "/v1/vsi", filters: [.name, .vsi]) { [plane] in
                .rows(try await plane.vsis($0.selection))
            },
            ControlRoute(.get, "/v1/vni", filters: [.name, .vsi]) { [plane] in
                .rows(try await networks(of: plane, $0.selection))
            },
            ControlRoute(.get, "/v1/peer", filters: [.name, .peer]) { [plane] in
                .rows(try await plane.peers($0.selection))
            },
            ControlRoute(.get, "/v1/port", filters: [.name, .port, .vsi]) { [plane] in
                .rows(try await plane.ports($0.selection))
            },
            ControlRoute(.get, "/v1/fdb", filters: [.vsi, .port, .peer, .mac]) { [plane] in
                .rows(try await plane.fdb($0.selection))
            },
            ControlRoute(
                .get, "/v1/arp", filters: [.vsi, .interface, .vrf, .port, .peer, .mac, .address]
            ) { [plane] in .rows(try await plane.arp($0.selection)) },
            ControlRoute(.get, "/v1/route", filters: [.interface, .vrf, .address]) { [plane] in
                .rows(try await plane.routes($0.selection))
            },
            ControlRoute(.get, "/v1/policy", filters: [.name, .interface, .vrf]) { [plane] in
                .rows(try await plane.policies($0.selection))
            },
        ]
    }

    private var counters: [ControlRoute] {
        [
            ControlRoute(.get, "/v1/counters") { [plane] _ in .object(try await plane.counters()) },
            ControlRoute(.get, "/v1/drops", filters: [.name]) { [plane] in
                .rows(
                    try named(
                        $0.selection.name, "drop reason", try await plane.drops(), by: \.reason))
            },
            ControlRoute(.get, "/v1/events", filters: [.name]) { [plane] in
                let counts = try await plane.counters().events.map(EventReport.init)
                return .rows(
                    try named(
                        $0.selection.name, "event", counts.sorted { $0.event < $1.event },
                        by: \.event))
            },
            ControlRoute(.get, "/v1/runtime") { [plane] _ in .object(try await plane.runtime()) },
            ControlRoute(.delete, "/v1/counters") { [plane] _ in
                try await plane.clearCounters()
                return .object(Outcome())
            },
        ]
    }

    private var changes: [ControlRoute] {
        [
            ControlRoute(.delete, "/v1/fdb", filters: [.vsi, .port, .peer, .mac, .static]) {
                [plane] in
                .object(
                    Outcome(
                        removed: try await plane.clearFDB(
                            $0.selection, includingStatic: $0.includesStatic)))
            },
            ControlRoute(
                .delete, "/v1/arp", filters: [.vsi, .interface, .vrf, .port, .peer, .mac, .address]
            ) { [plane] in .object(Outcome(removed: try await plane.clearARP($0.selection))) },
            ControlRoute(.post, "/v1/fdb") { [plane] in
                let entry = try FDBEntry(fields: await $0.fields())
                try await plane.addFDB(vsi: entry.vsi, mac: entry.mac, target: entry.target)
                return .object(Outcome(added: 1))
            },
            ControlRoute(.delete, "/v1/fdb/{vsi}/{mac}") { [plane] in
                try await plane.deleteFDB(
                    vsi: $0.parameter("vsi"), mac: parseMAC($0.parameter("mac")))
                return .object(Outcome(removed: 1))
            },
            ControlRoute(.post, "/v1/arp") { [plane] in
                let entry = try ARPEntry(fields: await $0.fields())
                try await plane.addARP(
                    interface: entry.interface, address: entry.address, mac: entry.mac)
                return .object(Outcome(added: 1))
            },
            ControlRoute(.delete, "/v1/arp/{interface}/{address}") { [plane] in
                try await plane.deleteARP(
                    interface: $0.parameter("interface"),
                    address: parseAddress($0.parameter("address")))
                return .object(Outcome(removed: 1))
            },
        ]
    }

    private var configuration: [ControlRoute] {
        [
            ControlRoute(.get, "/v1/config") { [plane] _ in
                .text(try await plane.configurationText(), as: "application/yaml; charset=utf-8")
            },
            ControlRoute(.put, "/v1/config", filters: [.file]) { [plane] in
                let text = try await $0.text()
                return .object(
                    ChangeReport(
                        changes: try await plane.apply(text: text, fileName: $0.fileName)))
            },
        ]
    }

    private var service: [ControlRoute] {
        [
            ControlRoute(.post, "/v1/ping") { [plane] in
                .rows(try await plane.ping(PingBody(bytes: await $0.json()).request))
            },
            ControlRoute(.get, "/v1/version") { [plane] _ in .object(try await plane.version()) },
            ControlRoute(.get, "/v1/openapi.json") { _ in
                .text(openAPIDocument, as: "application/json; charset=utf-8")
            },
            ControlRoute(.get, "/metrics") { [plane] _ in
                .text(try await Metrics(of: plane).text, as: Metrics.mediaType)
            },
            ControlRoute(.get, "/healthz") { _ in .text("ok\n", as: "text/plain; charset=utf-8") },
            ControlRoute(.get, "/readyz") { [plane] _ in
                _ = try await plane.version()
                return .text("ready\n", as: "text/plain; charset=utf-8")
            },
        ]
    }
}

/// VSIs that are VXLANs; the name is that of a VSI or the number of a VNI.
private func networks(
    of plane: any ControlPlane, _ selection: Selection
) async throws(ControlError) -> [VSIReport] {
    guard let name = selection.name ?? selection.vsi else {
        return try await plane.vsis(selection).filter { $0.vni != nil }
    }
    if selection.name != nil, let number = UInt32(name) {
        var others = selection
        others.name = nil
        let found = try await plane.vsis(others).filter { $0.vni == number }
        guard !found.isEmpty else { throw .notFound("no VSI has VNI \(number)") }
        return found
    }
    let found = try await plane.vsis(selection).filter { $0.vni != nil }
    guard !found.isEmpty else {
        throw .notFound("VSI `\(name)` has no VNI: it is local to this gateway")
    }
    return found
}

/// The row of that name, or every row without one.
private func named<Row>(
    _ name: String?, _ kind: String, _ rows: [Row], by key: KeyPath<Row, String>
) throws(ControlError) -> [Row] {
    guard let name else { return rows }
    let found = rows.filter { $0[keyPath: key] == name }
    guard !found.isEmpty else { throw .notFound("\(kind) `\(name)` does not exist") }
    return found
}
