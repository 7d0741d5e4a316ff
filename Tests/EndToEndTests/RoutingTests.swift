import Foundation
import Programs
import Testing

extension EndToEnd {
    /// The networks of the two documents, with real network stacks as machines.
    @Suite("Routing")
    struct RoutingTests {
        private static let machines = [
            "vm1": "10.1.1.11", "vm2": "20.1.1.11", "vm4": "10.1.1.12", "vm5": "20.1.1.12",
            "outside": "50.1.1.1",
        ]

        @Test("Every machine reaches every other", arguments: Network.distributed)
        func allPairs(network: Network) throws {
            try TestLab.with(network) { lab in
                for from in Self.machines.keys.sorted() {
                    for (to, address) in Self.machines where to != from {
                        try #expect(lab.ping(from, address) == 3, "\(from) to \(to)")
                    }
                }
            }
        }

        /// Only the central gateway routes: what the leaves send keeps its TTL.
        @Test("With a central gateway every machine reaches every other, over it alone")
        func centralized() throws {
            try TestLab.with(.centralized) { lab in
                for from in Self.machines.keys.sorted() {
                    for (to, address) in Self.machines where to != from {
                        try #expect(lab.ping(from, address) == 3, "\(from) to \(to)")
                    }
                }
                let near = try lab.run("vm1", "ping -n -c 1 -W 1 10.1.1.12").output
                #expect(near.contains("ttl=64"), "the same VXLAN is bridged")
                let far = try lab.run("vm1", "ping -n -c 1 -W 1 20.1.1.11").output
                #expect(far.contains("ttl=63"), "the other VXLAN is routed once")
            }
        }

        @Test("A packet loses one TTL at each gateway, and who runs out is told by whom")
        func timeToLive() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                for (address, left) in [("20.1.1.11", 63), ("10.1.1.12", 62), ("50.1.1.1", 62)] {
                    let ping = try lab.run("vm1", "ping -n -c 1 -W 1 \(address)").output
                    #expect(ping.contains("ttl=\(left)"), "\(ping)")
                }
                let short = try lab.run("vm1", "ping -n -c 1 -W 1 -t 1 50.1.1.1").output
                #expect(short.contains("From 10.1.1.1 "), "\(short)")
                #expect(short.contains("Time to live exceeded"), "\(short)")
                try #expect(lab.drops("gw1", "ttl_exceeded") == 1)
            }
        }

        @Test(
            "TCP between VXLANs with the offloads as they are, both ways",
            arguments: Network.distributed)
        func streams(network: Network) throws {
            try TestLab.with(network) { lab in
                try expectStreams(lab, from: "vm1", to: "vm5", at: "20.1.1.12")
                try expectStreams(lab, from: "vm1", to: "outside", at: "50.1.1.1")
            }
        }

        @Test(
            "Point to point: ping and TCP, host 2 vxgate or the kernel",
            arguments: Network.pointToPoint)
        func pointToPoint(network: Network) throws {
            try TestLab.with(network) { lab in
                try #expect(lab.ping("ns1", "192.168.2.100") == 3)
                try #expect(lab.ping("ns2", "192.168.1.100") == 3)
                try expectStreams(lab, from: "ns1", to: "ns2", at: "192.168.2.100")
                try #expect(lab.drops("host1", "l3_l2_egress_mismatch") == 0)
            }
        }

        /// The machines believe in 1500, so that the gateway meets the packet that does not fit.
        @Test("A packet larger than 1450: its sender is told, or it arrives in fragments")
        func largePackets() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                for role in ["vm1", "vm5"] { try lab.run(role, "ip link set eth0 mtu 1500") }
                for size in [1449, 1450] {
                    let options = "-M do -s \(size - 28)"
                    try #expect(lab.ping("vm1", "20.1.1.12", options: options) == 3, "\(size)")
                }
                try #expect(lab.drops("gw1", "mtu_exceeded_df") == 0)
                // Don't-fragment clear first: what the machine learns afterwards changes its mind.
                try #expect(lab.ping("vm1", "20.1.1.12", options: "-M dont -s 1472") == 3)
                let told = try lab.run("vm1", "ping -n -c 1 -W 1 -M do -s 1423 20.1.1.12").output
                #expect(told.contains("From 10.1.1.1 "), "\(told)")
                #expect(told.contains("mtu = 1450"), "\(told)")
                try #expect(lab.drops("gw1", "mtu_exceeded_df") == 1)
                let learned = try lab.run("vm1", "ip route get 20.1.1.12").output
                #expect(learned.contains("mtu 1450"), "\(learned)")
                try #expect(lab.drops("gw1", "encap_mtu") == 0)
            }
        }

        /// C0a and C0b of the walk: the shipped file has both ways to the border.
        @Test("The static route alone and the policy route alone lead to the outside")
        func waysOut() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                let whole = try String(contentsOfFile: lab.file("gw1", "yaml"), encoding: .utf8)
                let policies = try #require(whole.range(of: "policy-routes:"))
                let statics = try #require(whole.range(of: "static-routes:"))
                let control = try #require(whole.range(of: "control:"))
                var text = whole
                text.removeSubrange(statics.lowerBound..<control.lowerBound)
                try apply(text, to: "gw1", lab)
                try #expect(lab.ping("vm1", "50.1.1.1") == 3, "policy alone")
                text = whole
                text.removeSubrange(policies.lowerBound..<statics.lowerBound)
                try apply(text, to: "gw1", lab)
                try #expect(lab.ping("vm1", "50.1.1.1") == 3, "static route alone")
                text.removeSubrange(
                    try #require(text.range(of: "static-routes:"))
                        .lowerBound..<#require(text.range(of: "control:")).lowerBound)
                try apply(text, to: "gw1", lab)
                let lost = try lab.run("vm1", "ping -n -c 1 -W 1 50.1.1.1").output
                #expect(lost.contains("From 10.1.1.1 "), "\(lost)")
                #expect(lost.contains("Net Unreachable"), "\(lost)")
            }
        }

        @Test("The same MAC at every gateway (D2): every machine reaches every other")
        func sharedMAC() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                for gateway in ["gw1", "gw2"] {
                    let text = try String(
                        contentsOfFile: lab.file(gateway, "yaml"), encoding: .utf8)
                    let shared = text.replacing(
                        /mac: 02:00:00:00:0\d:/, with: "mac: 02:00:00:00:00:")
                    #expect(shared != text)
                    try apply(shared, to: gateway, lab)
                }
                for from in Self.machines.keys.sorted() {
                    for (to, address) in Self.machines where to != from {
                        try #expect(lab.ping(from, address) == 3, "\(from) to \(to)")
                    }
                }
            }
        }

        @Test("A static FDB entry that contradicts ARP: dropped and told, while it lasts (F6)")
        func egressMismatch() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                try #expect(lab.ping("vm1", "20.1.1.12") == 3)
                let arp = try lab.vxgate("gw1", ["show", "arp"]).output
                let row = try #require(arp.firstMatch(of: /20\.1\.1\.12 +(\S+) .*gw2/), "\(arp)")
                let entry = ["--vsi", "vpnb", "--mac", String(row.1)]
                let planted = try lab.vxgate("gw1", ["fdb", "add"] + entry + ["--peer", "border"])
                try #require(planted.status == 0, "\(planted.errors)")
                try #expect(lab.ping("vm1", "20.1.1.12") == 0)
                try #expect(lab.drops("gw1", "l3_l2_egress_mismatch") == 3)
                let shown = try lab.vxgate("gw1", ["show", "drops"]).output
                #expect(shown.contains("l3_l2_egress_mismatch"), "\(shown)")
                // Other next hops are as they were.
                try #expect(lab.ping("vm1", "10.1.1.12") == 3)
                let gone = try lab.vxgate("gw1", ["fdb", "delete"] + entry)
                try #require(gone.status == 0, "\(gone.errors)")
                try #expect(lab.ping("vm1", "20.1.1.12") == 3)
                try #expect(lab.drops("gw1", "l3_l2_egress_mismatch") == 3)
            }
        }

        private func apply(_ text: String, to gateway: String, _ lab: TestLab) throws {
            let file = lab.file(gateway, "next")
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try lab.vxgate(gateway, ["config", "apply", file])
            try #require(applied.status == 0, "\(applied.errors)")
        }

        @Test("A route that comes and goes 30 times costs another flow nothing")
        func reload() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                try #expect(lab.ping("vm1", "20.1.1.12") == 3)
                let before = try String(contentsOfFile: lab.file("gw1", "yaml"), encoding: .utf8)
                let after = before.replacing(
                    "static-routes:\n",
                    with: "static-routes:\n  - { prefix: 60.1.1.0/24, blackhole: true }\n")
                #expect(after != before)
                let flood = try RunningCommand(
                    lab.inside("vm1", ["ping", "-n", "-q", "-i", "0.002", "-W", "1", "20.1.1.12"]))
                for round in 0..<30 {
                    let text = round % 2 == 0 ? after : before
                    try apply(text, to: "gw1", lab)
                    let shown = try lab.vxgate("gw1", ["show", "route"]).output
                    #expect(shown.contains("60.1.1.0/24") == (round % 2 == 0))
                    if round == 0 {
                        try #expect(lab.ping("vm2", "60.1.1.1", count: 2) == 0)
                        try #expect(lab.drops("gw1", "blackhole") == 2)
                    }
                }
                flood.signal(SIGINT)
                _ = flood.wait(seconds: 5)
                let counted = try #require(
                    flood.output.firstMatch(of: /(\d+) packets transmitted, (\d+) received/))
                let sent = try #require(Int(counted.1))
                let received = try #require(Int(counted.2))
                #expect(sent > 200)
                // The last request may be under way when ping is stopped.
                #expect(received >= sent - 1, "\(flood.output)")
            }
        }

        @Test(
            "Every step of both documents is on the wire",
            arguments: [
                ["distributed"], ["point-to-point"], ["point-to-point", "--kernel-host2"],
            ])
        func walk(words: [String]) throws {
            let program = "\(Requirements.root)/tools/lab/lab"
            let walk = try Command.run(
                [program, "walk", "--binary", Requirements.binary] + words, seconds: 60)
            #expect(walk.status == 0, "\(walk.output.suffix(4000)) \(walk.errors)")
            #expect(walk.output.contains("every step was seen"))
        }

        /// Two seconds each way; the far stack must find every checksum right.
        private func expectStreams(
            _ lab: TestLab, from client: String, to server: String, at address: String
        ) throws {
            let listening = try RunningCommand(lab.inside(server, ["iperf3", "-s"]))
            defer { listening.kill() }
            usleep(300_000)
            for direction in ["", "-R"] {
                let words = "iperf3 -c \(address) -t 2 -J --connect-timeout 3000 \(direction)"
                let rate = try lab.stream(client, words)
                print(
                    "\(lab.network.testDescription) \(address) \(direction): \(rate / 1e9) Gbit/s")
                #expect(rate > (Requirements.isSlow ? 5e6 : 50e6), "\(direction)")
            }
            for role in [client, server] {
                let broken = try lab.run(role, "nstat -az TcpInCsumErrors")
                #expect(broken.output.contains(#/TcpInCsumErrors\s+0\s/#), "\(role)")
            }
        }
    }
}
