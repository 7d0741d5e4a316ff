import Control
import Glibc
import ServiceLifecycle
import Testing

@testable import ControlAPI

@Suite(.timeLimit(.minutes(1))) struct MetricsTests {
    @Test func everyNumberOfTheReportsIsThere() async throws {
        let text = try await Metrics(of: FakePlane()).text
        for line in [
            "vxgate_build_info{version=\"1.0.0\",name=\"gw1\"} 1", "vxgate_uptime_seconds 12000.5",
            "vxgate_stage_packets_total{stage=\"parse\"} 10",
            "vxgate_stage_clocks_per_packet{stage=\"parse\"} 123.4",
            "vxgate_packets_total{account=\"received\"} 10", "vxgate_held_packets 0",
            "vxgate_drops_total{reason=\"vxlan_unknown_vni\",stage=\"classify\"} 2",
            "vxgate_drops_total{reason=\"kernel_socket_overflow\",stage=\"kernel\"} 0",
            "vxgate_events_total{event=\"fdb_moves\"} 3",
            "vxgate_port_receive_packets_total{port=\"vm1\",vsi=\"vpna\"} 1234",
            "vxgate_port_up{port=\"vm1\"} 1",
            "vxgate_peer_transmit_bytes_total{peer=\"gw2\",address=\"10.33.30.151\"} 600",
            "vxgate_vsi_flooded_packets_total{vsi=\"vpna\"} 1",
            "vxgate_vsi_fdb_entries{vsi=\"vpna\"} 2", "vxgate_worker_busy_ratio{worker=\"0\"} 0.25",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
    }

    /// The rules of OpenMetrics 1.0 that a reader of it insists on.
    @Test func formIsOpenMetrics() async throws {
        let lines = try await Metrics(of: FakePlane()).text
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["# EOF", ""])
        var types: [String: String] = [:]
        var current = ""
        var seen: Set<String> = []
        for line in lines.dropLast(2) {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                current = String(words[2])
                #expect(types[current] == nil, "the family \(current) comes twice")
                types[current] = String(words[3])
            } else if line.hasPrefix("# HELP ") {
                #expect(String(words[2]) == current)
            } else {
                let end = line.lastIndex(of: " ") ?? line.endIndex
                let name = String(line.prefix { $0 != "{" && $0 != " " })
                let suffix = ["counter": "_total", "info": "_info"][types[current] ?? ""] ?? ""
                #expect(name == current + suffix)
                #expect(Double(line[end...].dropFirst()) != nil, "\(line)")
                #expect(seen.insert(String(line[..<end])).inserted, "\(line) comes twice")
            }
        }
        #expect(types.count > 20)
    }

    @Test func theNetworkSeesMetricsAndNothingElse() async throws {
        let (ports, found) = AsyncStream<Int>.makeStream()
        let server = MetricsServer(
            plane: FakePlane(), address: "127.0.0.1", port: 0, log: silentLog()
        ) { port in
            found.yield(port)
            found.finish()
        }
        let group = ServiceGroup(services: [server], logger: silentLog())
        async let running: Void = group.run()
        var port = 0
        for await number in ports { port = number }
        let answers = try await onThread { [port] in
            try ["/metrics", "/v1/config", "/v1/fdb"].map { try overTCP(port, $0) }
        }
        await group.triggerGracefulShutdown()
        try await running
        #expect(answers[0].hasPrefix("HTTP/1.1 200 "))
        #expect(answers[0].contains("application/openmetrics-text; version=1.0.0"))
        #expect(answers[0].hasSuffix("# EOF\n"))
        #expect(answers[1].hasPrefix("HTTP/1.1 404 "))
        #expect(answers[2].hasPrefix("HTTP/1.1 404 "))
    }
}

private func overTCP(_ port: Int, _ path: String) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let result = unsafe withUnsafePointer(to: address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard result == 0 else { throw TemporaryDirectory.Failure(text: "connect") }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
    _ = unsafe send(descriptor, request, request.count, 0)
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe recv(descriptor, &part, part.count, 0)
        guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
        answer += part[..<count]
    }
}
