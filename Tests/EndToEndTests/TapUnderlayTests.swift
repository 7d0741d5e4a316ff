import Foundation
import Programs
import Testing

extension EndToEnd {
    /// What only a tap as underlay does: outer headers that are checked and written by vxgate, and
    /// super-packets that nobody cuts. That traffic crosses it is for `ForwardingTests`.
    @Suite("Tap underlay")
    struct TapUnderlayTests {
        /// The inner IP packets on the wire are longer than its MTU: neither vxgate nor the kernel
        /// has cut them. On the udp underlay none are.
        @Test("TCP super-packets are on the wire uncut, both ways", arguments: ["tap", "udp"])
        func uncut(underlay: String) throws {
            let network = Network(topology: "two-gateways", access: "tap", underlay: underlay)
            try TestLab.with(network) { lab in
                let server = try RunningCommand(lab.inside("red2", ["iperf3", "-s"]))
                defer { server.kill() }
                usleep(300_000)
                for direction in ["", "-R"] {
                    let (long, bytes) = try longPackets(
                        lab, "iperf3 -c 10.1.0.2 -n 200M \(direction)")
                    print("\(underlay) \(direction): \(long) long packets, \(bytes) bytes in them")
                    if underlay == "tap" {
                        #expect(bytes > 150_000_000, "\(direction): \(long), \(bytes)")
                    } else {
                        #expect(long == 0, "\(direction): \(long), \(bytes)")
                    }
                }
            }
        }

        /// The tag stands between the inner addresses and the inner IP header, so that every offset
        /// the kernel is told is four bytes more. Its own segments show whether it was told right.
        @Test(
            "A TCP super-packet with a VLAN tag that the VXLAN keeps is cut behind the tap",
            .enabled(if: Requirements.isInstalled("ethtool"), "ethtool is not installed"))
        func uncutWithTag() throws {
            let network = Network(topology: "two-gateways", access: "tap", underlay: "tap")
            try TestLab.with(network) { lab in
                let text = try String(contentsOfFile: lab.file("gw1", "yaml"), encoding: .utf8)
                let path = "\(lab.directory)/keep.yaml"
                try text.replacing("vni: 10 }", with: "vni: 10, inner-vlan: keep }")
                    .write(toFile: path, atomically: true, encoding: .utf8)
                let applied = try lab.vxgate("gw1", ["config", "apply", path])
                try #require(applied.status == 0, "\(applied.errors)")
                let off = try lab.run("gw1", "ethtool -K under tso off gso off tx off")
                try #require(off.status == 0, "\(off.errors)")
                let watcher = try RunningCommand(
                    lab.inside("gw2", ["python3", "-c", WirePrograms.watchTaggedSegments]))
                usleep(300_000)
                let sent = try lab.run(
                    "red1", "python3 \(lab.script("t.py", WirePrograms.taggedSuperPacket))")
                #expect(sent.status == 0, "\(sent.errors)")
                #expect(watcher.wait(seconds: 10) == 0)
                let seen = try Command(end: watcher)
                #expect(seen.output == "10 segments, all right\n", "\(seen.output) \(seen.errors)")
                let counters: Shown.Counters = try lab.show("gw1", "counters")
                #expect(counters.totals.replicated == 0, "vxgate has cut it: \(counters.totals)")
            }
        }

        /// Runs a client at red1; gives how many inner packets longer than the wire's were on it
        /// and their bytes.
        private func longPackets(_ lab: TestLab, _ words: String) throws -> (Int, Int) {
            let watcher = try RunningCommand(
                lab.inside("gw1", ["python3", "-c", WirePrograms.watchInnerLengths]))
            usleep(300_000)
            let client = try lab.run("red1", words)
            try #require(client.status == 0, "\(client.output.suffix(300))")
            try #require(watcher.wait(seconds: 10) == 0)
            let seen = try Command(end: watcher).output.split(whereSeparator: \.isWhitespace)
                .compactMap { Int($0) }
            try #require(seen.count == 2)
            return (seen[0], seen[1])
        }

        /// What waits for one peer leaves as one packet, which the kernel cuts or the peer's tap
        /// gets whole.
        @Test(
            "Datagrams of one size cross together and arrive one by one",
            arguments: [
                Network(topology: "two-gateways", access: "tap", underlay: "tap"),
                Network(topology: "two-gateways", access: "tap", underlay: "mixed"),
                Network(topology: "kernel-peer", access: "tap", underlay: "tap"),
            ])
        func runs(network: Network) throws {
            for checksum in ["auto", "on", "off"] {
                try TestLab.with(network, settings: ["vtep.udp-checksum=\(checksum)"]) { lab in
                    let watcher = try RunningCommand(
                        lab.inside("gw1", ["python3", "-c", WirePrograms.watchOuterLengths]))
                    let server = try RunningCommand(
                        lab.inside("red2", ["python3", "-c", WirePrograms.burstServer]))
                    defer { server.kill() }
                    usleep(300_000)
                    let sent = try lab.run(
                        "red1", "python3 \(lab.script("c.py", WirePrograms.burstClient))")
                    #expect(sent.status == 0, "\(sent.errors)")
                    try #require(server.wait(seconds: 10) == 0)
                    let arrived = try Command(end: server).output
                    #expect(arrived == "2000 of 2000\n", "\(checksum): \(arrived)")
                    try #require(watcher.wait(seconds: 10) == 0)
                    let long = try Command(end: watcher).output
                        .split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
                    print("\(network.testDescription), \(checksum): \(long ?? -1) long packets")
                    #expect(checksum == "off" ? long == 0 : (long ?? 0) > 10)
                    let losses = try lab.run("gw2", "nstat -az UdpInCsumErrors").output
                    #expect(losses.contains(#/UdpInCsumErrors\s+0\s/#))
                }
            }
        }

        @Test("What is not VXLAN for the VTEP is dropped and says why")
        func badOuterPackets() throws {
            try TestLab.with(.bareTaps) { lab in
                let daemon = try lab.start(lab.tapConfiguration())
                let reasons = { () throws -> [String: UInt64] in
                    let shown = try Command.run(
                        [Requirements.binary, "show", "drops", "--json", "--socket", lab.socket])
                    let rows: [Shown.Drop] = try Shown.decode(shown.output)
                    return rows.filter { $0.packets > 0 && $0.stage != "kernel" }
                        .reduce(into: [:]) { $0[$1.reason] = $1.packets }
                }
                try #expect(reasons() == [:])
                let sent = try lab.run(
                    "gw2", "python3 \(lab.script("bad.py", WirePrograms.badPackets))")
                #expect(sent.status == 0, "\(sent.errors)")
                let expected: [String: UInt64] = [
                    "outer_bad_checksum": 1, "outer_bad_header": 1, "outer_bad_length": 2,
                    "outer_fragment": 2, "outer_not_our_vtep": 2, "vxlan_short": 1,
                    "vxlan_no_i_flag": 1, "vxlan_unknown_vni": 1,
                ]
                _ = try eventually { try reasons() == expected }
                try #expect(reasons() == expected)
                let shown = try Command.run(
                    [Requirements.binary, "show", "counters", "--json", "--socket", lab.socket])
                let counters: Shown.Counters = try Shown.decode(shown.output)
                #expect(counters.totals.received == 11 && counters.totals.balance)
                daemon.signal(SIGTERM)
                #expect(daemon.wait(seconds: 5) == 0, "\(daemon.errors)")
            }
        }

        /// The route to the peer becomes shorter than gw1 knows; the kernel says so to the VTEP.
        @Test("A router's 'fragmentation needed' is heeded")
        func shortPath() throws {
            let network = Network(topology: "two-gateways", access: "tap", underlay: "tap")
            try TestLab.with(network, settings: ["vtep.df=set"]) { lab in
                try #expect(lab.ping("red1", "10.1.0.2", options: "-M do -s 1400") == 3)
                try lab.run(
                    "gw1", "ip route replace 198.51.100.2/32 via 192.0.2.2 mtu lock 1300")
                try #expect(
                    lab.ping("red1", "10.1.0.2", count: 5, options: "-M do -s 1400") == 0)
                try #expect(lab.drops("gw1", "tx_emsgsize") >= 3)
                try #expect(lab.ping("red1", "10.1.0.2", options: "-M do -s 1222") == 3)
            }
        }

        /// The wire's device at gw1 cuts nothing and sums nothing up, so that the kernel has to
        /// have done both before: what it sends is what a network card would.
        @Test(
            "Outer UDP checksums and segments are right on a wire without offloads",
            .enabled(if: Requirements.isInstalled("ethtool"), "ethtool is not installed"),
            arguments: [true, false],
            ["on", "auto"])
        func checksums(isKernelPeer: Bool, setting: String) throws {
            let network = Network(
                topology: isKernelPeer ? "kernel-peer" : "two-gateways", access: "tap",
                underlay: "tap")
            try TestLab.with(network, settings: ["vtep.udp-checksum=\(setting)"]) { lab in
                let off = try lab.run("gw1", "ethtool -K under tso off gso off tx off")
                try #require(off.status == 0, "\(off.errors)")
                let watcher = try RunningCommand(
                    lab.inside("gw2", ["python3", "-c", WirePrograms.watchChecksums]))
                let server = try RunningCommand(lab.inside("red2", ["iperf3", "-s"]))
                defer { server.kill() }
                usleep(300_000)
                for size in [1, 2, 1300, 1301] {
                    try #expect(
                        lab.ping("red1", "10.1.0.2", options: "-s \(size)") == 3, "\(size) bytes")
                }
                let client = try lab.run("red1", "iperf3 -c 10.1.0.2 -n 20M")
                #expect(client.status == 0, "\(client.output.suffix(300))")
                try #require(watcher.wait(seconds: 10) == 0)
                let seen = try Command(end: watcher).output.split(whereSeparator: \.isWhitespace)
                    .compactMap { Int($0) }
                print("\(network.testDescription), \(setting): \(seen)")
                try #require(seen.count == 4)
                #expect(seen[2] == 0, "wrong checksums: \(seen)")
                #expect(seen[3] == 0, "packets longer than the wire: \(seen)")
                if setting == "on" {
                    #expect(seen[0] > 1000 && seen[1] == 0, "\(seen)")
                } else {
                    #expect(seen[1] > 1000, "\(seen)")
                }
                for counter in ["UdpInCsumErrors", "TcpInCsumErrors"] {
                    for role in ["gw2", "red2"] {
                        let losses = try lab.run(role, "nstat -az \(counter)").output
                        let pattern = try Regex("\(counter)\\s+0\\s")
                        #expect(losses.contains(pattern), "\(losses)")
                    }
                }
            }
        }

        @Test("The tap and its route come and go with the daemon, SIGKILL included")
        func lifeCycle() throws {
            try TestLab.with(.bareTaps) { lab in
                let text = lab.tapConfiguration(ports: [lab.tap("tap9", "red1")], device: "u0")
                for signal in [SIGTERM, SIGINT, SIGKILL, SIGKILL, SIGKILL, SIGTERM] {
                    let daemon = try lab.start(text)
                    let route = try lab.run("gw1", "ip route get 198.51.100.1").output
                    #expect(route.contains("dev u0"), "\(route)")
                    daemon.signal(signal)
                    let status = daemon.wait(seconds: 5)
                    guard signal != SIGKILL else { continue }
                    #expect(status == 0, "\(daemon.errors)")
                    try #expect(lab.run("gw1", "ip link show u0").status == 1)
                    let after = try lab.run("gw1", "ip route get 198.51.100.1").output
                    #expect(!after.contains("u0"), "\(after)")
                }
            }
        }

        @Test("A tap that was set down and up has its route again")
        func linkDownAndUp() throws {
            let network = Network(topology: "two-gateways", access: "tap", underlay: "tap")
            try TestLab.with(network) { lab in
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                try lab.run("gw1", "ip link set vxgate0 down")
                try #expect(lab.ping("red1", "10.1.0.2", count: 1) == 0)
                try lab.run("gw1", "ip link set vxgate0 up")
                try #expect(eventually { try lab.ping("red1", "10.1.0.2") == 3 })
            }
        }

        @Test("The MTU is that of a route which comes after the start")
        func lateRoute() throws {
            try TestLab.with(.bareTaps) { lab in
                struct VSI: Decodable { var mtu: Int? }
                let mtu = { () throws -> Int? in
                    let shown = try Command.run(
                        [Requirements.binary, "show", "vsi", "--json", "--socket", lab.socket])
                    return try (Shown.decode(shown.output) as [VSI]).first?.mtu
                }
                try lab.run("gw1", "ip route del 198.51.100.2/32")
                let daemon = try lab.start(lab.tapConfiguration())
                try #expect(mtu() == nil)
                try lab.run("gw1", "ip route add 198.51.100.2/32 via 192.0.2.2 mtu 1400")
                try #expect(eventually { try mtu() == 1350 })
                daemon.signal(SIGTERM)
                #expect(daemon.wait(seconds: 5) == 0, "\(daemon.errors)")
                #expect(!daemon.errors.contains("error"), "\(daemon.errors)")
            }
        }

        @Test("An address of the host or a name that is taken: one line, status 1")
        func refusals() throws {
            try TestLab.with(.bareTaps) { lab in
                let first = try lab.start(lab.tapConfiguration())
                let second = lab.tapConfiguration().replacing(lab.socket, with: "\(lab.socket)2")
                expectOneLine(try lab.refuses(second), naming: "vxgate0")
                #expect(first.isRunning)
                first.signal(SIGTERM)
                #expect(first.wait(seconds: 5) == 0)
                try lab.run("gw1", "ip address add 198.51.100.1/32 dev lo")
                let done = try lab.refuses(lab.tapConfiguration())
                expectOneLine(done, naming: "198.51.100.1 is an address of this host (lo)")
                try #expect(lab.run("gw1", "ip link show vxgate0").status == 1)
            }
        }

        @Test("show runtime and show vsi name what is in use")
        func shown() throws {
            let network = Network(topology: "two-gateways", access: "tap", underlay: "mixed")
            try TestLab.with(network) { lab in
                struct Runtime: Decodable {
                    var features: [String: String]
                    var inactive: [String]
                }
                struct VSI: Decodable { var dev: String? }
                let tap: Runtime = try lab.show("gw1", "runtime")
                #expect(tap.inactive.isEmpty && tap.features["underlay_tap"] == "on")
                #expect(tap.features["tunnel_gso"] == "on")
                #expect(tap.features["udp_segment"] == nil)
                let udp: Runtime = try lab.show("gw2", "runtime")
                #expect(udp.features["tunnel_gso"] == nil && udp.features["udp_segment"] == "on")
                let vsis: [VSI] = try lab.show("gw1", "vsi")
                #expect(vsis.allSatisfy { $0.dev == "vxgate0" } && !vsis.isEmpty)
            }
        }
    }
}

extension Network {
    /// Wire, veths, routes and forwarding, for gateways with a tap started by hand.
    static let bareTaps = Network(topology: "bare", access: "veth", underlay: "tap")
}

extension TestLab {
    /// A file for a gateway with a tap in the namespace gw1.
    func tapConfiguration(ports: [String] = [], device: String? = nil) -> String {
        let name = device.map { ", device: \($0)" } ?? ""
        return configuration(ports: ports).replacing(
            "address: 198.51.100.1", with: "address: 198.51.100.1, underlay: tap\(name)")
    }

    /// Writes a program into the lab's directory.
    func script(_ name: String, _ text: String) throws -> String {
        let path = "\(directory)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
