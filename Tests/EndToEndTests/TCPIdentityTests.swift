import Foundation
import Programs
import Testing

extension EndToEnd {
    /// TCP streams arrive as they were sent, whatever is cut, merged, lost or doubled on the way.
    /// The kernels of the two hosts are the judges.
    @Suite(
        "TCP identity",
        .enabled(
            if: Requirements.isInstalled("nft") && Requirements.isInstalled("ethtool"),
            "nft or ethtool is not installed"))
    struct TCPIdentityTests {
        /// What the kernel of a host counts.
        private enum Counter: String, CaseIterable {
            case wrongChecksums = "TcpInCsumErrors"
            case outOfOrder = "TcpExtTCPOFOQueue"
            case sentAgain = "TcpRetransSegs"
        }

        private struct Report: Decodable {
            var problems: [String]
            var bytes: Int
            var again: Int
        }

        private static let hosts = [1, 2]

        @Test(
            "Streams arrive byte by byte, ends included",
            arguments: [
                Network(topology: "two-gateways", access: "tap"),
                Network(topology: "two-gateways", access: "tap", underlay: "tap"),
                Network(topology: "kernel-peer", access: "tap"),
                Network(topology: "kernel-peer", access: "tap", underlay: "tap"),
            ])
        func streams(network: Network) throws {
            let given = ProcessInfo.processInfo.environment["VXGATE_SEED"].flatMap { UInt64($0) }
            var seed = given ?? UInt64.random(in: 1...UInt64(UInt32.max))
            print("\(network.testDescription): VXGATE_SEED=\(seed)")
            func chance(_ count: UInt64) -> Int {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(seed >> 33) % Int(count)
            }
            try TestLab.with(network, settings: ["system.workers=2"]) { lab in
                for host in Self.hosts { try prepare(lab, host) }
                try exchange(lab, round: "calm", seed: chance(1 << 30), connections: 4)
                // From here on the wire cuts what one of its ends sends, or that end's kernel does.
                let cutter = "gw\(1 + chance(2))"
                let off = try lab.run(cutter, "ethtool -K under tso off gso off tx off")
                try #require(off.status == 0, "\(off.errors)")
                for round in 0..<2 {
                    for host in Self.hosts { try tune(lab, host, chance) }
                    let faults = try lab.script(
                        "faults",
                        (round == 0 ? "" : "delete table netdev fault\n")
                            + StreamProgram.faults(
                                lost: chance(15), doubled: chance(15), marked: chance(30)))
                    for gateway in ["gw1", "gw2"] {
                        let done = try lab.run(gateway, "nft -f \(faults)")
                        try #require(done.status == 0, "\(done.errors)")
                    }
                    try exchange(lab, round: "wild", seed: chance(1 << 30), connections: 8)
                }
            }
        }

        /// IPv6 beside IPv4, on the device of the tenant red.
        private func prepare(_ lab: TestLab, _ host: Int) throws {
            for words in [
                "sysctl -qw net.ipv6.conf.red\(host).disable_ipv6=0",
                "ip address add fd00::\(host)/64 dev red\(host) nodad",
            ] {
                let done = try lab.run("red\(host)", words)
                try #require(done.status == 0, "\(done.errors)")
            }
        }

        private func tune(_ lab: TestLab, _ host: Int, _ chance: (UInt64) -> Int) throws {
            let values = ["tcp_timestamps", "tcp_sack", "tcp_ecn"].map { name in
                "net.ipv4.\(name)=\(chance(2))"
            }
            let done = try lab.run("red\(host)", "sysctl -w \(values.joined(separator: " "))")
            try #require(done.status == 0, "\(done.errors)")
        }

        /// One run of the program at both hosts. When it is calm the wire loses nothing, and so
        /// little is under way that no queue of the machine could.
        private func exchange(
            _ lab: TestLab, round: String, seed: Int, connections: Int
        ) throws {
            let program = try lab.script("streams.py", StreamProgram.text)
            let before = try Self.hosts.map { try counters(lab, $0) }
            let running = try Self.hosts.map { host in
                let words = "python3 \(program) \(host) \(seed) \(connections) 600000 \(round)"
                return try RunningCommand(
                    lab.inside("red\(host)", words.split(separator: " ").map(String.init)))
            }
            let reports = try running.map { run in
                let ended = try Command(end: run, seconds: 40)
                try #require(ended.status == 0, "\(ended.errors)")
                return try Shown.decode(ended.output) as Report
            }
            for (host, report) in zip(Self.hosts, reports) {
                #expect(report.problems.isEmpty, "\(round) \(seed), host \(host)")
                let now = try counters(lab, host)
                let grown = Dictionary(
                    uniqueKeysWithValues: Counter.allCases.map {
                        ($0, now[$0, default: 0] - before[host - 1][$0, default: 0])
                    })
                print(
                    "  \(round), host \(host): \(report.bytes) bytes, \(report.again) sent again,",
                    Counter.allCases.map { "\($0.rawValue) \(grown[$0]!)" }
                        .joined(separator: ", "))
                #expect(grown[.wrongChecksums] == 0, "\(round) \(seed)")
                // A kernel's host reorders itself: its sender may change its CPU, and with it the
                // queue of the veth.
                if round == "calm", lab.network.topology == "two-gateways" {
                    #expect(grown[.outOfOrder] == 0, "\(round) \(seed)")
                }
            }
        }

        private func counters(_ lab: TestLab, _ host: Int) throws -> [Counter: Int] {
            let names = Counter.allCases.map(\.rawValue).joined(separator: " ")
            let shown = try lab.run("red\(host)", "nstat -asz \(names)").output
            var values: [Counter: Int] = [:]
            for line in shown.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let counter = Counter(rawValue: String(words[0])) else { continue }
                values[counter] = Int(words[1])
            }
            try #require(values.count == Counter.allCases.count)
            return values
        }
    }
}
