import Control
import Foundation
import Testing

@testable import ControlAPI

/// The document against the routes and the reports: neither may know more than the other.
@Suite(.timeLimit(.minutes(1))) struct OpenAPITests {
    private typealias Object = [String: Any]

    private func document() throws -> Object {
        try #require(
            try JSONSerialization.jsonObject(with: Data(openAPIDocument.utf8)) as? Object)
    }

    private func part(_ path: String...) throws -> Object {
        try path.reduce(document()) { try #require($0[$1] as? Object, "\(path)") }
    }

    @Test func everyRouteIsDescribed() throws {
        let routes = ControlRoutes(plane: FakePlane(), limits: .init()).all
        var described: Set<String> = []
        for (path, operations) in try part("paths") {
            for (method, operation) in try #require(operations as? Object) {
                described.insert("\(method.uppercased()) \(path)")
                let route = try #require(
                    routes.first { $0.name == "\(method.uppercased()) \(path)" },
                    "\(method) \(path) is described and not served")
                let parameters = (operation as? Object)?["parameters"] as? [Object] ?? []
                let names = parameters.compactMap { $0["$ref"] as? String }
                    .map { String($0.split(separator: "/").last ?? "") }
                #expect(Set(names) == Set(route.filters.map(\.rawValue)), "\(method) \(path)")
                let inPath = parameters.compactMap { $0["name"] as? String }
                #expect(
                    inPath
                        == path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                            String($0.dropFirst().dropLast())
                        })
            }
        }
        #expect(described == Set(routes.map(\.name)))
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let components = try part("components")
        for piece in openAPIDocument.split(separator: "\"#/components/").dropFirst() {
            let path = piece.prefix { $0 != "\"" }.split(separator: "/").map(String.init)
            let group = try #require(components[path[0]] as? Object)
            #expect(group[path[1]] != nil, "\(path)")
        }
    }

    @Test func answersHaveTheDescribedKeys() async throws {
        let plane = FakePlane()
        let none = Selection()
        let answers: [(String, any Encodable)] = [
            ("VSI", try await plane.vsis(none)[0]), ("Peer", try await plane.peers(none)[0]),
            ("Port", try await plane.ports(none)[0]), ("FDBEntry", try await plane.fdb(none)[2]),
            ("ARPEntry", try await plane.arp(none)[0]), ("Route", try await plane.routes(none)[1]),
            ("Policy", try await plane.policies(none)[0]),
            ("Counters", try await plane.counters()), ("Totals", try await plane.counters().totals),
            ("Stage", try await plane.counters().stages[0]), ("Drop", try await plane.drops()[0]),
            ("Event", EventReport(event: "e", count: 1)), ("Runtime", try await plane.runtime()),
            ("Worker", try await plane.runtime().workers[0]),
            ("Ping", PingReport(sequence: 1, result: .timeout, source: "10.1.1.1")),
            ("Version", try await plane.version()), ("Outcome", Outcome()),
            ("Changes", ChangeReport(changes: [])), ("Error", ErrorReport(error: "")),
        ]
        for (name, value) in answers {
            let data = Data(try JSONWriter.text(of: value))
            let keys = try #require(try JSONSerialization.jsonObject(with: data) as? Object).keys
            let schema = try part("components", "schemas", name)
            let described = try #require(schema["properties"] as? Object).keys
            #expect(Set(keys) == Set(described), "\(name)")
            #expect(Set(schema["required"] as? [String] ?? []) == Set(described), "\(name)")
        }
    }
}
