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
                    let watcher = try RunningCommand(
                        lab.inside("gw1", ["python3", "-c", watchInnerLengths]))
                    usleep(300_000)
                    let client = try lab.run("red1", "iperf3 -c 10.1.0.2 -n 200M \(direction)")
                    try #require(client.status == 0, "\(client.output.suffix(300))")
                    try #require(watcher.wait(seconds: 10) == 0)
                    let seen = try Command(end: watcher).output.split(
                        whereSeparator: \.isWhitespace)
                    let long = try #require(seen.first.flatMap { Int($0) })
                    let bytes = try #require(seen.last.flatMap { Int($0) })
                    print("\(underlay) \(direction): \(long) long packets, \(bytes) bytes in them")
                    if underlay == "tap" {
                        #expect(bytes > 150_000_000, "\(direction): \(seen)")
                    } else {
                        #expect(long == 0, "\(direction): \(seen)")
                    }
                }
            }
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
                        lab.inside("gw1", ["python3", "-c", watchOuterLengths]))
                    let server = try RunningCommand(
                        lab.inside("red2", ["python3", "-c", burstServer]))
                    defer { server.kill() }
                    usleep(300_000)
                    let sent = try lab.run("red1", "python3 \(lab.script("c.py", burstClient))")
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
                let sent = try lab.run("gw2", "python3 \(lab.script("bad.py", badPackets))")
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
            .enabled(if: Requirements.isInstalled("ethtool")), arguments: [true, false],
            ["on", "auto"])
        func checksums(isKernelPeer: Bool, setting: String) throws {
            let network = Network(
                topology: isKernelPeer ? "kernel-peer" : "two-gateways", access: "tap",
                underlay: "tap")
            try TestLab.with(network, settings: ["vtep.udp-checksum=\(setting)"]) { lab in
                let off = try lab.run("gw1", "ethtool -K under tso off gso off tx off")
                try #require(off.status == 0, "\(off.errors)")
                let watcher = try RunningCommand(
                    lab.inside("gw2", ["python3", "-c", watchChecksums]))
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

/// Until a second passes without VXLAN: how many inner IPv4 packets longer than 1500 bytes there
/// were on `under`, and their bytes.
private let watchInnerLengths = """
    import socket
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    s.bind(("under", 0))
    s.settimeout(1)
    count = total = 0
    started = False
    while True:
        try:
            frame = s.recv(68)
        except TimeoutError:
            if started:
                break
            continue
        if len(frame) < 68 or frame[23] != 17 or frame[36:38] != b"\\x12\\xb5":
            continue
        if frame[62:64] != b"\\x08\\0":
            continue
        started = True
        # Outer Ethernet, IPv4, UDP and VXLAN headers and the inner Ethernet header are 64 bytes.
        length = int.from_bytes(frame[66:68], "big")
        if length > 1500:
            count, total = count + 1, total + length
    print(count, total)
    """

/// The same for outer IPv4 packets.
private let watchOuterLengths = watchInnerLengths.replacing("frame[66:68]", with: "frame[16:18]")

/// Two thousand numbered datagrams in bursts that a host's socket can hold.
private let burstClient = """
    import socket, time
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("10.1.0.2", 7777))
    s.send(b"first")
    time.sleep(0.2)
    for burst in range(40):
        for number in range(50):
            s.send(b"%08d" % (burst * 50 + number) * 125)
        time.sleep(0.002)
    """

private let burstServer = """
    import socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind(("10.1.0.2", 7777))
    s.settimeout(4)
    seen = set()
    s.recv(2000)
    s.settimeout(1)
    try:
        while len(seen) < 2000:
            data = s.recv(2000)
            if data == data[:8] * 125:
                seen.add(int(data[:8]))
    except TimeoutError:
        pass
    print(len(seen & set(range(2000))), "of 2000")
    """

/// VXLAN from 198.51.100.1 as it arrives on `under`, until a second passes without: how many have
/// a UDP checksum, how many have none, how many a wrong one, and how many do not fit the wire.
private let watchChecksums = """
    import socket
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    s.bind(("under", 0))
    s.settimeout(1)
    some = none = wrong = long = 0
    while True:
        try:
            frame = s.recv(70000)
        except TimeoutError:
            if some + none > 0:
                break
            continue
        if frame[23:24] != b"\\x11" or frame[26:30] != bytes([198, 51, 100, 1]):
            continue
        long += len(frame) > 1514
        udp = frame[34:14 + int.from_bytes(frame[16:18], "big")]
        if udp[6:8] == b"\\0\\0":
            none += 1
            continue
        some += 1
        data = frame[26:34] + b"\\0\\x11" + udp[4:6] + udp + b"\\0" * (len(udp) % 2)
        total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        wrong += total != 0xFFFF
    print(some, none, wrong, long)
    """

/// Eleven IPv4 packets for the VTEP that a router passes on; only their ends can refuse them.
private let badPackets = """
    import socket, struct
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    VTEP = "198.51.100.1"
    def ip(payload, protocol=17, fragment=0, options=b""):
        head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                           20 + len(options) + len(payload), 7, fragment, 64, protocol, 0,
                           socket.inet_aton("198.51.100.2"), socket.inet_aton(VTEP))
        s.sendto(head + options + payload, (VTEP, 0))
    def udp(payload, port=4789, length=None, checksum=0):
        return struct.pack("!HHHH", 50000, port, length or 8 + len(payload), checksum) + payload
    vxlan = struct.pack("!II", 0x08000000, 77 << 8)
    frame = bytes.fromhex("020000000001020000000002") + b"\\x08\\0" + bytes(46)
    ip(udp(vxlan + frame, checksum=1))                       # outer_bad_checksum
    ip(udp(vxlan + frame), options=b"\\x01\\x01\\x01\\x00")  # outer_bad_header
    ip(udp(vxlan + frame, length=200))                       # outer_bad_length
    ip(udp(vxlan + frame, length=7))                         # outer_bad_length
    ip(udp(vxlan + frame), fragment=0x2000)                  # outer_fragment
    ip(frame, fragment=9)                                    # outer_fragment
    ip(udp(vxlan + frame, port=4790))                        # outer_not_our_vtep
    ip(b"\\x08\\0\\xf7\\xff\\0\\0\\0\\0", protocol=1)        # outer_not_our_vtep: a ping
    ip(udp(vxlan[:7]))                                       # vxlan_short
    ip(udp(b"\\0" + vxlan[1:] + frame))                      # vxlan_no_i_flag
    ip(udp(vxlan + frame))                                   # vxlan_unknown_vni
    """
