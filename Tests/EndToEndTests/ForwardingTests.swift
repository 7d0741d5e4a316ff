import Foundation
import Programs
import Testing

extension EndToEnd {
    /// Real hosts talk across VXLAN: vxgate to vxgate and vxgate to the kernel's own vxlan device,
    /// with taps and with veths as access ports.
    @Suite("Forwarding")
    struct ForwardingTests {
        @Test("Hosts of one tenant reach each other, tenants do not", arguments: Network.all)
        func reach(network: Network) throws {
            try TestLab.with(network) { lab in
                for role in ["red1", "blue1"] {
                    try #expect(lab.ping(role, "10.1.0.2") == 3, "from \(role)")
                }
                for role in ["red2", "blue2"] {
                    try #expect(lab.ping(role, "10.1.0.1") == 3, "from \(role)")
                }
                try #expect(lab.ping("blue1", "10.1.0.3") == 3)
                try #expect(lab.ping("red1", "10.1.0.3", count: 2) == 0, "red saw a host of blue")
            }
        }

        @Test("Both sides are learned where they are", arguments: Network.all)
        func learned(network: Network) throws {
            try TestLab.with(network) { lab in
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                let entries: [Shown.Entry] = try lab.show("gw1", "fdb")
                let near = try #require(entries.first { $0.mac == (try? mac(lab, "red1")) })
                #expect(near.vsi == "red" && near.kind == "dynamic" && near.port == "red1")
                let far = try #require(entries.first { $0.mac == (try? mac(lab, "red2")) })
                #expect(far.vni == 10 && far.peer == "gw2" && far.address == "198.51.100.2")
                let flood = entries.filter { $0.kind == "flood" && $0.vsi == "red" }
                #expect(flood.map(\.mac) == ["00:00:00:00:00:00"])
                #expect(flood.map(\.peer) == ["gw2"])
            }
        }

        /// The underlay carries 1500 bytes, so inner IP packets of 1450 fit and 1451 do not. The
        /// hosts are told otherwise, so that the gateway meets the packet which does not fit.
        @Test(
            "Inner packets up to 1450 bytes cross, longer ones are dropped and counted",
            arguments: Network.all)
        func edgesOfTheMTU(network: Network) throws {
            try TestLab.with(network) { lab in
                for role in ["red1", "red2"] { try lab.run(role, "ip link set \(role) mtu 1500") }
                let before = try lab.drops("gw1", "encap_mtu")
                for size in [1449, 1450] {
                    let answered = try lab.ping("red1", "10.1.0.2", options: option(size))
                    #expect(answered == 3, "inner packets of \(size) bytes")
                }
                try #expect(lab.drops("gw1", "encap_mtu") == before)
                try #expect(lab.ping("red1", "10.1.0.2", count: 2, options: option(1451)) == 0)
                try #expect(lab.drops("gw1", "encap_mtu") == before + 2)
            }
        }

        /// The hosts cut these themselves: later fragments carry no ports.
        @Test("Fragments of large packets arrive and are put together", arguments: Network.all)
        func fragments(network: Network) throws {
            try TestLab.with(network) { lab in
                for size in [3000, 9000, 60_000] {
                    try #expect(lab.ping("red1", "10.1.0.2", options: "-s \(size)") == 3)
                }
            }
        }

        @Test("UDP of every size comes back unchanged", arguments: Network.all)
        func datagrams(network: Network) throws {
            try TestLab.with(network) { lab in
                let server = try RunningCommand(lab.inside("red2", ["python3", "-c", echoServer]))
                defer { server.kill() }
                let client = try Command.run(lab.inside("red1", ["python3", "-c", echoClient]))
                #expect(client.output == "echoed 400 of 400\n", "\(client.errors)")
            }
        }

        @Test("TCP with the offloads as they are, both ways", arguments: Network.all)
        func streams(network: Network) throws {
            try TestLab.with(network) { lab in
                let server = try RunningCommand(lab.inside("red2", ["iperf3", "-s"]))
                defer { server.kill() }
                usleep(300_000)
                for direction in ["", "-R"] {
                    let words = "iperf3 -c 10.1.0.2 -t 2 -J --connect-timeout 3000 \(direction)"
                    let rate = try lab.stream("red1", words)
                    print("\(network.testDescription) \(direction): \(rate / 1e9) Gbit/s")
                    #expect(rate > 50e6, "\(direction)")
                }
                let broken = try lab.run("red1", "nstat -az TcpInCsumErrors")
                #expect(broken.output.contains(#/TcpInCsumErrors\s+0\s/#))
            }
        }

        private func mac(_ lab: TestLab, _ role: String) throws -> String {
            let link = try lab.run(role, "ip -br link show \(role)").output
            let address = link.firstMatch(of: /([0-9a-f]{2}:){5}[0-9a-f]{2}/)
            return String(try #require(address).0)
        }

        /// Ping options for inner IPv4 packets of this size that may not be fragmented.
        private func option(_ size: Int) -> String { "-M do -s \(size - 28)" }
    }
}

private let echoServer = """
    import socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.1.0.2", 7777))
    while True:
        s.sendto(*s.recvfrom(2000))
    """

/// One at a time, so that nothing is lost to a full socket; the first may come before the server.
private let echoClient = """
    import os, socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    s.connect(("10.1.0.2", 7777))
    def echo(data):
        try:
            s.send(data)
            return s.recv(2000) == data
        except OSError:
            return False
    while not echo(b"ready"):
        pass
    sizes = [1 + i * 1421 // 399 for i in range(400)]
    print("echoed", sum(echo(os.urandom(n)) for n in sizes), "of", len(sizes))
    """
