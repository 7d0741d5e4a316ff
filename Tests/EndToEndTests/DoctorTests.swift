import Foundation
import Programs
import Testing

extension EndToEnd {
    /// `vxgate doctor` at a gateway in good health, and with one thing after the other spoilt.
    @Suite("Doctor")
    struct DoctorTests {
        @Test("Nothing to complain about; then a contradicting FDB entry, MTU, address, port")
        func spoilt() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                for address in ["20.1.1.12", "50.1.1.1"] {
                    try #expect(lab.ping("vm1", address) == 3)
                }
                try expectHealth(lab, "as it came up")
                let text = try lab.vxgate("gw1", ["doctor"])
                #expect(text.status == 0 && text.output.hasPrefix("CHECK "), "\(text)")

                try contradiction(lab)
                try expectHealth(lab, "without the entry")
                try narrowUnderlay(lab)
                try expectHealth(lab, "with the whole MTU")
                try strangePeer(lab)
                try secondDaemon(lab)
                try expectHealth(lab, "alone again")
            }
        }

        @Test(
            "A rule that drops UDP 4789 is found, and one that accepts it is none",
            .enabled(if: Requirements.isInstalled("nft"), "nft is not installed"))
        func packetFilter() throws {
            try TestLab.with(.taps) { lab in
                let rules = [
                    "add table inet vx",
                    "add chain inet vx in { type filter hook input priority 0 ; policy drop ; }",
                    "add rule inet vx in iifname lo accept",
                    "add rule inet vx in ct state established,related accept",
                ]
                for rule in rules { try nft(lab, rule) }
                try #expect(lab.ping("red1", "10.1.0.2") == 0, "the rules work")
                let found = try look(lab).filter { $0.check == "packet_filter" }
                #expect(found.first?.verdict == "problem", "\(found)")
                #expect(
                    found.first?.text.hasPrefix("policy of inet vx in drops UDP 4789 from gw2")
                        == true, "\(found)")
                let accept = "ip saddr 198.51.100.2 udp dport { 53, 4789 } accept"
                try nft(lab, "add rule inet vx in \(accept)")
                try #expect(lab.ping("red1", "10.1.0.2") == 3, "the rules let through")
                let clear = try look(lab).filter { $0.check == "packet_filter" }
                #expect(clear.first?.verdict == "ok", "\(clear)")
            }
        }

        @Test("A file before the gateway runs: the port is free, or taken by whom")
        func beforeTheStart() throws {
            try TestLab.with(.bare) { lab in
                let port = "{ name: p, type: packet, device: nowhere0, vsi: red }"
                let file = lab.file("gw1", "before")
                try lab.configuration(ports: [port]).write(
                    toFile: file, atomically: true, encoding: .utf8)
                let words = lab.inside(
                    "gw1", [Requirements.binary, "doctor", "--json", "--config", file])
                let before = try Command.run(words)
                #expect(before.status == 1)
                let rows: [Row] = try Shown.decode(before.output)
                #expect(rows.filter { $0.verdict == "problem" }.map(\.subject) == ["p"])
                #expect(rows.first { $0.check == "udp_port" }?.text == "free")

                let daemon = try lab.start(lab.configuration(ports: []))
                let taken: [Row] = try Shown.decode(try Command.run(words).output)
                let row = try #require(taken.first { $0.check == "udp_port" })
                #expect(row.verdict == "problem")
                #expect(row.text.hasPrefix("taken by vxgate, process "), "\(row)")
                daemon.signal(SIGTERM)
                #expect(daemon.wait(seconds: 5) == 0)
            }
        }

        private struct Row: Decodable {
            var check: String
            var verdict: String
            var subject: String?
            var text: String
        }

        private func look(_ lab: TestLab) throws -> [Row] {
            let found = try lab.vxgate("gw1", ["doctor", "--json"])
            let rows: [Row] = try Shown.decode(found.output)
            let hasProblem = rows.contains { $0.verdict == "problem" }
            #expect(found.status == (hasProblem ? 1 : 0), "\(found)")
            return rows
        }

        /// Programs that list rules may be missing, and the machine's kernel may be old.
        private func expectHealth(_ lab: TestLab, _ when: Comment) throws {
            let poor = try look(lab).filter {
                $0.verdict != "ok" && $0.check != "packet_filter" && $0.check != "io_uring"
            }
            #expect(poor.isEmpty, when)
        }

        private func expectProblem(
            _ lab: TestLab, _ check: String, _ subject: String, _ text: String
        ) throws {
            let problems = try look(lab).filter { $0.verdict == "problem" }
            #expect(problems.map(\.check) == [check], "\(problems)")
            #expect(problems.first?.subject == subject, "\(problems)")
            #expect(problems.first?.text.contains(text) == true, "\(problems)")
        }

        /// F6 of the point-to-point document: both tables are asked, and must agree.
        private func contradiction(_ lab: TestLab) throws {
            let arp = try lab.vxgate("gw1", ["show", "arp"]).output
            let row = try #require(arp.firstMatch(of: /20\.1\.1\.12 +(\S+) .*gw2/), "\(arp)")
            let entry = ["--vsi", "vpnb", "--mac", String(row.1)]
            let planted = try lab.vxgate("gw1", ["fdb", "add"] + entry + ["--peer", "border"])
            try #require(planted.status == 0, "\(planted.errors)")
            try expectProblem(lab, "fdb_arp", "vsi20 20.1.1.12", "is at peer border")
            let gone = try lab.vxgate("gw1", ["fdb", "delete"] + entry)
            try #require(gone.status == 0, "\(gone.errors)")
            try #expect(lab.ping("vm1", "20.1.1.12") == 3)
        }

        private func narrowUnderlay(_ lab: TestLab) throws {
            let whole = try String(contentsOfFile: lab.file("gw1", "yaml"), encoding: .utf8)
            let fixed = whole.replacing(
                "address: 10.1.1.1/24", with: "address: 10.1.1.1/24\n    mtu: 1451")
            try #require(fixed != whole)
            try apply(fixed, lab)
            try expectProblem(lab, "underlay_mtu", "vsi10", "mtu 1451 needs 1501")
            try apply(whole, lab)
        }

        /// A peer that no route leads to.
        private func strangePeer(_ lab: TestLab) throws {
            let whole = try String(contentsOfFile: lab.file("gw1", "yaml"), encoding: .utf8)
            let more = whole.replacing(
                "peers:\n", with: "peers:\n  - { name: gw9, address: 203.0.113.9 }\n")
            try #require(more != whole)
            try apply(more, lab)
            try expectProblem(lab, "peers", "gw9", "no way to 203.0.113.9")
            try apply(whole, lab)
        }

        /// A program that shares the port takes a part of the datagrams.
        private func secondDaemon(_ lab: TestLab) throws {
            let program = """
                import socket, time
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                s.bind(("172.16.0.1", 4789))
                time.sleep(30)
                """
            let other = try RunningCommand(lab.inside("gw1", ["python3", "-c", program]))
            let holds = try eventually {
                try look(lab).contains { $0.check == "same_vtep" && $0.verdict == "problem" }
            }
            #expect(holds, "\(other.errors)")
            try expectProblem(
                lab, "same_vtep", "python3, process \(other.processIdentifier)", "stop one")
            other.kill()
        }

        private func apply(_ text: String, _ lab: TestLab) throws {
            let file = lab.file("gw1", "next")
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try lab.vxgate("gw1", ["config", "apply", file])
            try #require(applied.status == 0, "\(applied.errors)")
        }

        private func nft(_ lab: TestLab, _ rule: String) throws {
            let done = try lab.run("gw1", "nft \(rule)")
            try #require(done.status == 0, "\(rule): \(done.errors)")
        }
    }
}
