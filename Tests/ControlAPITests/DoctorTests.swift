import Control
import FoundationEssentials
import Testing
import Wire

@testable import ControlAPI

/// Each check of the doctor with facts that are given to it.
@Suite struct DoctorTests {
    @Test func aHealthyGatewayHasNoProblem() throws {
        let findings = try Surgery().findings()
        let poor = findings.filter { $0.verdict != .ok }
        #expect(poor.isEmpty, "\(poor)")
        #expect(Set(findings.map(\.check)) == Set(Finding.Check.allCases))
    }

    /// One thing at a time is changed; the finding is the only one that is not ok.
    @Test(arguments: Surgery.cases)
    func oneFault(_ fault: Fault) throws {
        var surgery = Surgery()
        fault.plant(&surgery)
        let poor = try surgery.findings().filter { $0.verdict != .ok }
        let first = try #require(poor.first)
        #expect(first.check == fault.check && first.verdict == fault.verdict, "\(poor)")
        #expect(first.text.contains(fault.text), "\(first.text)")
        #expect(first.subject == fault.subject)
        #expect(poor.allSatisfy { $0.check == fault.check }, "\(poor)")
    }

    @Test func aHealthyGatewayWithATapHasNoProblem() throws {
        var surgery = Surgery.withTap
        for daemon in [surgery.daemon, nil] {
            surgery.daemon = daemon
            let poor = try surgery.findings().filter {
                $0.verdict != .ok && $0.verdict != .notChecked
            }
            #expect(poor.isEmpty, "\(poor)")
        }
    }

    /// The same with a tap as underlay.
    @Test(arguments: Surgery.tapCases)
    func oneFaultWithATap(_ fault: Fault) throws {
        var surgery = Surgery.withTap
        fault.plant(&surgery)
        let poor = try surgery.findings().filter { $0.verdict != .ok }
        let first = try #require(poor.first)
        #expect(first.check == fault.check && first.verdict == fault.verdict, "\(poor)")
        #expect(first.text.contains(fault.text) && first.subject == fault.subject, "\(first)")
        // The packet filter has a line for each direction.
        #expect(poor.count == (fault.check == .packetFilter ? 2 : 1), "\(poor)")
    }

    @Test func withoutADaemonItsTablesAreNotChecked() throws {
        var surgery = Surgery()
        surgery.daemon = nil
        surgery.network.sockets = []
        let findings = try surgery.findings()
        let unchecked = findings.filter { $0.verdict == .notChecked }.map(\.check)
        #expect(unchecked == [.sameVTEP, .fdbARP, .routes])
        #expect(findings.allSatisfy { $0.verdict == .ok || $0.verdict == .notChecked })
    }

    @Test func withoutADaemonThePortMustBeFree() throws {
        var surgery = Surgery()
        surgery.daemon = nil
        let findings = try surgery.findings().filter { $0.check == .udpPort }
        #expect(findings.map(\.verdict) == [.problem])
        #expect(findings[0].text.contains("taken by vxgate, process 77"))
    }

    @Test func aHiddenNetworkIsToldOnceForEachCheck() throws {
        let surgery = Surgery()
        var host = surgery.host
        host.network = .unknown("elsewhere")
        let findings = Doctor(
            configuration: try surgery.configuration(), host: host, daemon: surgery.daemon
        ).findings().filter { $0.verdict == .notChecked }
        #expect(
            findings.map(\.check) == [
                .vtepAddress, .udpPort, .sameVTEP, .underlayMTU, .packetFilter, .peers,
            ])
        #expect(findings.allSatisfy { $0.text == "elsewhere" })
    }

    @Test func theSocketsOfProc() {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
            12: 010200C0:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        \
            0 4242 2 0000000000000000 0
            13: 00000000000000000000000000000000:12B5 00000000000000000000000000000000:0000 07 \
            00000000:00000000 00:00000000 00000000     0        0 77 2 0000000000000000 0
            14: 0000000000000000FFFF00000100007F:12B5 00000000000000000000000000000000:0000 07 \
            00000000:00000000 00:00000000 00000000     0        0 78 2 0000000000000000 0
            """
        #expect(
            BoundSocket.list(text) == [
                BoundSocket(address: Surgery.own, port: 4789, inode: 4242),
                BoundSocket(address: .any, port: 4789, inode: 77),
            ])
    }

    @Test func aTableForPeopleAndRowsForScripts() throws {
        let findings = [
            Finding(.ports, .notChecked, "why"), Finding(.peers, .problem, "gw2", "no way"),
        ]
        #expect(
            TextTable(findings).text == """
                CHECK  VERDICT      SUBJECT  FINDING
                ports  not checked  -        why
                peers  problem      gw2      no way

                """)
        let json = String(decoding: try JSONWriter.text(of: findings[0]), as: UTF8.self)
        #expect(
            json == #"{"check":"ports","subject":null,"text":"why","verdict":"not_checked"}"#)
    }
}

/// Something that is wrong, and what the doctor has to say of it.
struct Fault: Sendable, CustomTestStringConvertible {
    let check: Finding.Check
    let verdict: Finding.Verdict
    let subject: String?
    let text: String
    let plant: @Sendable (inout Surgery) -> Void

    init(
        _ check: Finding.Check, _ verdict: Finding.Verdict, _ subject: String?, _ text: String,
        _ plant: @escaping @Sendable (inout Surgery) -> Void
    ) {
        self.check = check
        self.verdict = verdict
        self.subject = subject
        self.text = text
        self.plant = plant
    }

    var testDescription: String { "\(check): \(text)" }
}

/// The facts of a gateway in good health, to be spoilt one by one.
struct Surgery {
    static let own = IPv4Address("192.0.2.1")!
    static let remote = IPv4Address("192.0.2.2")!

    var text = """
        vtep: { address: 192.0.2.1 }
        peers: [ { name: gw2, address: 192.0.2.2 } ]
        vsis: [ { name: vpna, vni: 10 }, { name: br1 } ]
        access-ports: [ { name: srv, type: packet, device: eth1, vsi: vpna } ]
        vsi-interfaces:
          - { name: vsi10, vsi: vpna, address: 10.1.1.1/24, mtu: 1450 }
          - { name: local, vsi: br1, address: 10.2.1.1/24, mtu: 9000 }
        static-routes: [ { prefix: 0.0.0.0/0, via: 10.1.1.2, interface: vsi10 } ]
        policy-routes: [ { name: out, interface: vsi10, next-hop: 10.1.1.3 } ]
        """
    var network = HostFacts.Network()
    var host: HostFacts
    var daemon: DaemonFacts?

    init() {
        network.addresses = [
            HostFacts.Address(device: "lo", address: IPv4Address("127.0.0.1")!),
            HostFacts.Address(device: "eth0", address: Self.own),
        ]
        network.devices = ["lo": true, "eth0": true, "eth1": true]
        network.ways = [Self.remote: .mtu(1500)]
        network.sockets = [BoundSocket(address: Self.own, port: 4789, inode: 5)]
        network.owners = [5: HostFacts.Process(identifier: 77, name: "vxgate")]
        network.seesAllOwners = true
        host = HostFacts(
            kernelRelease: "6.1.0-18-amd64", features: .known(["single_issuer": "on"]),
            network: .known(network), nftables: .known(#"{"nftables": []}"#),
            iptables: .known("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"))
        daemon = DaemonFacts(
            processIdentifier: 77,
            ports: [
                PortReport(
                    name: "srv", type: "packet", device: "eth1", vlan: nil, vsi: "vpna",
                    state: "up", rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, rxDrops: 0,
                    txDrops: 0)
            ],
            fdb: [
                FDBReport(
                    vsi: "vpna", vni: 10, mac: "02:00:00:00:00:02", kind: .static, port: "srv"),
                FDBReport(
                    vsi: "vpna", vni: 10, mac: "00:00:00:00:00:00", kind: .flood, peer: "gw2"),
                FDBReport(vsi: "br1", vni: nil, mac: "02:00:00:00:00:02", kind: .own),
            ],
            arp: [
                ARPReport(
                    vrf: "default", interface: "vsi10", address: "10.1.1.2",
                    mac: "02:00:00:00:00:02", kind: .dynamic, state: .reachable, port: "srv"),
                ARPReport(
                    vrf: "default", interface: "vsi10", address: "10.1.1.1",
                    mac: "02:00:00:00:00:01", kind: .own, state: .reachable),
                // The same address in another VRF is another neighbor.
                ARPReport(
                    vrf: "red", interface: "r", address: "10.1.1.3", mac: nil, kind: .dynamic,
                    state: .failed),
            ],
            routes: [
                RouteReport(
                    vrf: "default", prefix: "0.0.0.0/0", kind: .static, via: "10.1.1.2",
                    interface: "vsi10"),
                RouteReport(vrf: "default", prefix: "10.1.1.0/24", kind: .connected),
            ])
    }

    func configuration() throws -> Configuration {
        try Configuration.parse(text: text, fileName: "gw").configuration
    }

    func findings() throws -> [Finding] {
        var host = host
        host.network = .known(network)
        return Doctor(configuration: try configuration(), host: host, daemon: daemon).findings()
    }

    /// The VTEP address is on no device, and the host forwards.
    static var withTap: Surgery {
        var surgery = Surgery()
        surgery.text = surgery.text.replacing("192.0.2.1 }", with: "192.0.2.1, underlay: tap }")
        surgery.network.addresses[1].address = IPv4Address("198.51.100.7")!
        surgery.network.devices["vxgate0"] = true
        surgery.network.forwards = [
            "default": true, "lo": false, "eth0": true, "eth1": true, "vxgate0": true,
        ]
        surgery.network.sockets = []
        return surgery
    }

    static let tapCases: [Fault] = [
        Fault(.vtepAddress, .problem, "192.0.2.1", "ip address delete 192.0.2.1 dev eth0") {
            $0.network.addresses[1].address = own
        },
        Fault(.vtepAddress, .problem, "192.0.2.1", "vxgate0 is missing or down") {
            $0.network.devices["vxgate0"] = nil
        },
        Fault(.vtepAddress, .problem, "192.0.2.1", "vxgate0 is missing or down") {
            $0.network.devices["vxgate0"] = false
        },
        Fault(.forwarding, .problem, "vxgate0", "net.ipv4.ip_forward=1") {
            $0.network.forwards["vxgate0"] = false
        },
        Fault(.forwarding, .problem, "vxgate0", "net.ipv4.ip_forward=1") {
            $0.network.forwards["vxgate0"] = nil
            $0.network.forwards["default"] = false
        },
        Fault(.forwarding, .warning, "eth0", "net.ipv4.conf.eth0.forwarding=1") {
            $0.network.forwards["eth0"] = false
        },
        Fault(.forwarding, .notChecked, nil, "cannot be read") { $0.network.forwards = [:] },
        Fault(.packetFilter, .problem, nil, "iptables filter FORWARD drops UDP 4789 from gw2") {
            $0.host.iptables = .known("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n")
        },
        Fault(.packetFilter, .warning, nil, "iptables filter FORWARD may drop UDP 4789 from gw2") {
            $0.host.iptables = .known(
                "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i eth9 -j DROP\nCOMMIT\n")
        },
    ]

    static let cases: [Fault] = [
        Fault(.kernel, .problem, nil, "install 6.1") { $0.host.kernelRelease = "6.0.19" },
        Fault(.kernel, .problem, nil, "install 6.1") { $0.host.kernelRelease = "5.15" },
        Fault(.ioUring, .problem, nil, "forbidden") { $0.host.features = .unknown("forbidden") },
        Fault(.ioUring, .warning, "multishot_read", "needs") {
            $0.host.features = .known(["single_issuer": "on", "multishot_read": "off: needs"])
        },
        Fault(.vtepAddress, .problem, "192.0.2.1", "eth0 is down") {
            $0.network.devices["eth0"] = false
        },
        Fault(.vtepAddress, .problem, "192.0.2.1", "no device has it") {
            $0.network.addresses.removeLast()
        },
        Fault(.udpPort, .problem, "4789", "has not bound it") { $0.network.sockets = [] },
        Fault(.udpPort, .problem, "4789", "has not bound it") {
            $0.network.sockets[0].address = IPv4Address("192.0.2.9")!
        },
        Fault(.sameVTEP, .problem, "other, process 9", "stop one") {
            $0.network.sockets.append(BoundSocket(address: .any, port: 4789, inode: 6))
            $0.network.owners[6] = HostFacts.Process(identifier: 9, name: "other")
        },
        Fault(.sameVTEP, .problem, "the kernel (ip link show type vxlan)", "stop one") {
            $0.network.sockets.append(BoundSocket(address: .any, port: 4789, inode: 0))
        },
        Fault(.sameVTEP, .notChecked, nil, "as root") { $0.network.seesAllOwners = false },
        Fault(.underlayMTU, .problem, "vsi10", "mtu 1450 needs 1500 to gw2, which has 1499") {
            $0.network.ways[Self.remote] = .mtu(1499)
        },
        Fault(.peers, .problem, "gw3", "no way to 192.0.2.3: unreachable") {
            $0.addPeer("192.0.2.3")
            $0.network.ways[IPv4Address("192.0.2.3")!] = .refused("unreachable")
        },
        Fault(.peers, .problem, "gw3", "this host's own (lo)") {
            let address = IPv4Address("192.0.2.3")!
            $0.addPeer("192.0.2.3")
            $0.network.addresses.append(HostFacts.Address(device: "lo", address: address))
            $0.network.ways[address] = .mtu(65_536)
        },
        Fault(.ports, .warning, "srv", "eth1 is down") { $0.daemon?.ports[0].state = "down" },
        Fault(.ports, .problem, "srv", "eth1 does not exist") {
            $0.network.devices["eth1"] = nil
            $0.daemon?.ports[0].state = "down"
        },
        Fault(.fdbARP, .problem, "vsi10 10.1.1.2", "at port srv, but the static FDB entry") {
            $0.daemon?.fdb[0].port = nil
            $0.daemon?.fdb[0].peer = "gw2"
        },
        Fault(.fdbARP, .problem, "vsi10 10.1.1.2", "own FDB entry of vpna is the gateway's own") {
            $0.daemon?.fdb[0].kind = .own
            $0.daemon?.fdb[0].port = nil
        },
        Fault(.routes, .problem, "default 0.0.0.0/0", "10.1.1.2 does not answer") {
            $0.daemon?.arp[0].state = .failed
        },
        Fault(.routes, .warning, "default 0.0.0.0/0", "10.1.1.2 has not answered") {
            $0.daemon?.arp[0].state = .incomplete
        },
        Fault(.routes, .problem, "default policy out", "10.1.1.3 does not answer") {
            $0.daemon?.arp[2].vrf = "default"
        },
        Fault(.packetFilter, .notChecked, "nft", "not installed") {
            $0.host.nftables = .unknown("nft is not installed")
        },
        Fault(.packetFilter, .notChecked, "nft", "does not know") {
            $0.host.nftables = .known("{}")
        },
        Fault(
            .packetFilter, .problem, nil,
            "iptables filter INPUT drops UDP 4789 from gw2: accept it before"
        ) {
            $0.host.iptables = .known(
                "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 4789 -j DROP\nCOMMIT\n")
        },
    ]

    private mutating func addPeer(_ address: String) {
        text = text.replacing(
            "192.0.2.2 }", with: "192.0.2.2 }, { name: gw3, address: \(address) }")
    }
}
