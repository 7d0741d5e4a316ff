import Control
import Testing

@testable import ControlAPI

@Suite(.timeLimit(.minutes(1))) struct ErrorAndLimitTests {
    @Test(arguments: [
        ("GET", "/v1/vsi?name=nowhere", "", 404, "VSI `nowhere` does not exist"),
        ("GET", "/v1/drops?name=nothing", "", 404, "drop reason `nothing` does not exist"),
        ("GET", "/v1/events?name=nothing", "", 404, "event `nothing` does not exist"),
        ("GET", "/v1/fdb?vsi=nowhere", "", 404, "VSI `nowhere` does not exist"),
        (
            "DELETE", "/v1/fdb?vis=vpna", "", 400,
            "unknown parameter `vis` of /v1/fdb: it takes vsi, port, peer, mac, static"
        ),
        (
            "GET", "/v1/version?name=x", "", 400,
            "unknown parameter `name` of /v1/version: it takes none"
        ),
        (
            "GET", "/v1/fdb?vsi=", "", 400, "parameter `vsi` is empty: give a value or leave it out"
        ),
        ("GET", "/v1/fdb?vsi=a&vsi=b", "", 400, "parameter `vsi` is given twice: give it once"),
        (
            "GET", "/v1/fdb?mac=zz", "", 400,
            "`zz` is not a MAC address: write it as 02:aa:00:00:00:01"
        ),
        (
            "GET", "/v1/arp?address=10.1.1", "", 400,
            "`10.1.1` is not an IPv4 address: write it as 10.1.1.1"
        ),
        ("DELETE", "/v1/fdb?static=yes", "", 400, "`static` is `yes`: write true or false"),
        (
            "DELETE", "/v1/fdb/vpna/00:00:00:00:00:00", "", 404,
            "VSI `vpna` has no entry 00:00:00:00:00:00"
        ),
        ("POST", "/v1/fdb", "{", 400, "the body is not a JSON object of strings"),
        ("POST", "/v1/fdb", "{\"vsi\":\"a\"}", 400, "`mac` is missing: give it as a string"),
        (
            "POST", "/v1/fdb", "{\"vsi\":\"a\",\"mac\":\"02:00:00:00:00:01\"}", 400,
            "give either `port` or `peer`"
        ),
        (
            "POST", "/v1/fdb", "{\"vsii\":\"a\"}", 400,
            "unknown key `vsii`: the keys are vsi, mac, port, peer"
        ),
        (
            "POST", "/v1/fdb", "{\"vsi\":\"full\",\"mac\":\"02:00:00:00:00:01\",\"port\":\"a\"}",
            409, "VSI `full` is at its mac-limit: raise it"
        ),
        ("PUT", "/v1/config", "stopping", 503, "vxgate is stopping: try again later"),
        (
            "GET", "/v1/nothing", "", 404,
            "no GET /v1/nothing in this API: see GET /v1/openapi.json"
        ),
        ("PATCH", "/v1/vsi", "", 404, "no PATCH /v1/vsi in this API: see GET /v1/openapi.json"),
    ])
    func refusals(
        method: String, target: String, body: String, status: Int, text: String
    ) async throws {
        try await withServer { path in
            #expect(throws: ControlClientError.refused(status: status, text: text, details: [])) {
                try ControlClient(path: path).request(method, target, body: Array(body.utf8))
            }
        }
    }

    @Test func invalidConfigurationHasAllItsLines() async throws {
        try await withServer { path in
            let error = ControlClientError.refused(
                status: 422,
                text: "the configuration has 2 errors and was not applied: correct the file",
                details: ["a.yaml:1:1: vtep: missing", "a.yaml:1:2: x: y"])
            #expect(throws: error) {
                try ControlClient(path: path).apply(text: "wrong", fileName: "a.yaml")
            }
        }
    }

    @Test func bodyLimit() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let client = ControlClient(path: path)
            let full = String(repeating: " ", count: 4 << 20)
            _ = try client.apply(text: full, fileName: "f")
            let error = ControlClientError.refused(
                status: 413, text: "the body is larger than 4194304 bytes: send a smaller one",
                details: [])
            #expect(throws: error) { try client.apply(text: full + " ", fileName: "f") }
            let large = String(repeating: " ", count: 5 << 20)
            #expect(throws: error) { try client.apply(text: large, fileName: "f") }
            let head = "PUT /v1/config HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "100000\r\n" + String(repeating: " ", count: 1 << 20) + "\r\n"
            let chunks = String(repeating: chunk, count: 5) + "0\r\n\r\n"
            let reply = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let answer = try exchange(path, send: Array((head + chunks + reply).utf8))
            #expect(answer?.hasPrefix("HTTP/1.1 413 ") == true)
            #expect(answer?.hasSuffix("ok\n") == true)
        }
        #expect(plane.made == ["apply f 4194304"])
    }

    @Test func nestingLimit() async throws {
        try await withServer { path in
            let client = ControlClient(path: path)
            func nested(_ depth: Int) -> [UInt8] {
                Array(
                    (String(repeating: "[", count: depth)
                        + String(repeating: "]", count: depth)).utf8)
            }
            let error = ControlClientError.refused(
                status: 400, text: "the body nests deeper than 64 levels: make it flatter",
                details: [])
            #expect(throws: error) { try client.request("POST", "/v1/fdb", body: nested(65)) }
            #expect(throws: error) { try client.request("PUT", "/v1/config", body: nested(65)) }
            #expect(throws: error) {
                try client.request("POST", "/v1/fdb", body: nested(2_000_000))
            }
            _ = try client.request("PUT", "/v1/config", body: nested(64))
            #expect(
                throws: ControlClientError.refused(
                    status: 400, text: "the body is not a JSON object of strings", details: [])
            ) { try client.request("POST", "/v1/fdb", body: nested(64)) }
        }
    }

    @Test func depthIsCountedOutsideStrings() {
        func depth(_ text: String, strings: Bool = true) -> Int {
            nestingDepth(of: Array(text.utf8), skippingStrings: strings)
        }
        #expect(depth("") == 0)
        #expect(depth("[{}]") == 2)
        #expect(depth("[\"[[[\\\"[\", []]") == 2)
        #expect(depth("]]]][") == 1)
        #expect(depth("# a \" and [[", strings: false) == 2)
    }

    @Test func headerLimit() async throws {
        try await withServer { path in
            let long = String(repeating: "a", count: 100_000)
            let text = "GET /healthz HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n"
            let answer = try exchange(path, send: Array(text.utf8))
            #expect(answer?.contains("ok\n") == false)
            _ = try ControlClient(path: path).request("GET", "/healthz")
        }
    }

    @Test(arguments: [
        "", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTT",
        "PUT /v1/config HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ])
    func idleClientsAreClosed(sent: String) async throws {
        var limits = ControlServer.Limits()
        limits.idle = .milliseconds(300)
        try await withServer(limits: limits) { path in
            // Tests that run beside this one may hold up the server's tasks for seconds.
            let answer = try exchange(path, send: Array(sent.utf8), seconds: 30)
            #expect(answer != nil, "the connection stayed open")
        }
    }

    @Test func connectionsAreBounded() async throws {
        var limits = ControlServer.Limits()
        limits.connections = 2
        try await withServer(limits: limits) { path in
            var holders = try (0..<2).map { _ in
                try ControlConnection(path: path, timeoutSeconds: 5)
            }
            let text = Array("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            for holder in holders {
                try holder.write(text)
                var answer: [UInt8] = []
                _ = try holder.read(into: &answer)
            }
            let client = ControlClient(path: path, timeoutSeconds: 1)
            #expect(throws: ControlClientError.timedOut(path: path, seconds: 1)) {
                try client.request("GET", "/healthz")
            }
            holders.removeLast()
            _ = try ControlClient(path: path).request("GET", "/healthz")
            withExtendedLifetime(holders) {}
        }
    }

    private static let manyRows = (0..<50_000).map {
        FDBReport(vsi: "v\($0)", vni: 1, mac: "02:00:00:00:00:01", kind: .dynamic, port: "p")
    }

    private func askAndNotRead(_ path: String) throws -> ControlConnection {
        let connection = try ControlConnection(path: path, timeoutSeconds: 5)
        try connection.write(Array("GET /v1/fdb HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        return connection
    }

    @Test func aClientThatDoesNotReadIsClosed() async throws {
        var limits = ControlServer.Limits()
        limits.idle = .seconds(2)
        limits.connections = 1
        try await withServer(plane: FakePlane(fdbRows: Self.manyRows), limits: limits) { path in
            let stuck = try askAndNotRead(path)
            _ = try ControlClient(path: path).request("GET", "/healthz")
            withExtendedLifetime(stuck) {}
        }
    }

    @Test func shutdownDoesNotWaitForClients() async throws {
        var limits = ControlServer.Limits()
        limits.farewell = .milliseconds(300)
        let clock = ContinuousClock()
        let (kept, start) = try await withServer(
            plane: FakePlane(fdbRows: Self.manyRows), limits: limits
        ) { path in
            let idle = try ControlConnection(path: path, timeoutSeconds: 5)
            return (KeptOpen([idle, try askAndNotRead(path)]), clock.now)
        }
        // Otherwise for as long as they may be idle.
        #expect(clock.now - start < limits.idle / 2)
        withExtendedLifetime(kept) {}
    }

    @Test func brokenRequestsHarmNobody() async throws {
        try await withServer { path in
            for text in ["\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
                _ = try exchange(path, send: Array(text.utf8), seconds: 1)
            }
            _ = try ControlClient(path: path).request("GET", "/healthz")
        }
    }
}

/// Connections that are only kept, never used, so that any thread may let them go.
private final class KeptOpen: @unchecked Sendable {
    private let connections: [ControlConnection]

    init(_ connections: [ControlConnection]) { self.connections = connections }
}
