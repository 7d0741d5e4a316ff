import Control
import Testing
import Wire

/// Texts that are accepted, and the values they give.
@Suite struct ConfigurationParseTests {
    @Test func everyDefault() throws {
        let result = try parsed("vtep: { address: 10.0.0.1 }")
        var expected = Configuration(vtep: Configuration.VTEP(address: .address(ip("10.0.0.1"))))
        #expect(result.configuration == expected)
        #expect(result.warnings.isEmpty)
        #expect(expected.vrfs == ["default"])
        #expect(expected.control.socket == "/run/vxgate/control.sock")
        expected.vtep.udpPort = 1
        #expect(result.configuration != expected)
    }

    @Test func systemAndVTEP() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        let system = Configuration.System(
            name: "gw1", workers: .count(4), spinMicroseconds: 1500, gatherMicroseconds: 30)
        #expect(configuration.system == system)
        let expected = Configuration.VTEP(
            address: .address(ip("10.33.30.150")), udpPort: 8472, underlay: .tap, device: "vtep7",
            sourcePorts: 1024, ttl: .inherit, dscp: .fixed(46), df: .inherit, udpChecksum: .on,
            reservedBits: .strict, acceptUnknownPeers: true)
        #expect(configuration.vtep == expected)
        #expect(
            try parsed("vtep: { interface: ens160, ttl: 1, dscp: inherit }").configuration.vtep
                == Configuration.VTEP(
                    address: .interface("ens160"), ttl: .fixed(1), dscp: .inherit))
    }

    @Test func switching() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        #expect(
            configuration.peers == [
                Configuration.Peer(name: "gw2", address: ip("10.33.30.151")),
                Configuration.Peer(
                    name: "border", address: ip("10.33.30.152"), vnis: [VNI(bits: 10)]),
            ])
        #expect(
            configuration.vsis == [
                Configuration.VSI(
                    name: "vpna", vni: VNI(bits: 10), floodList: ["gw2", "border"],
                    flooding: Configuration.Flooding(
                        broadcast: true, unknownUnicast: false, multicast: false),
                    learning: false, ageingSeconds: 300, macLimit: 100, innerVLAN: .strip),
                Configuration.VSI(name: "local"),
            ])
        #expect(
            configuration.accessPorts == [
                Configuration.AccessPort(
                    name: "vm1", type: .tap, device: "vm1", netns: "ns1", vsi: "vpna"),
                Configuration.AccessPort(
                    name: "srv", type: .packet, device: "eth1", vlan: 100, vsi: "vpna"),
            ])
        #expect(
            configuration.staticFDB == [
                Configuration.StaticFDB(
                    vsi: "vpna", mac: MACAddress(bits: 0x02AA_0000_0001), target: .peer("gw2")),
                Configuration.StaticFDB(
                    vsi: "vpna", mac: MACAddress(bits: 0x02AA_0000_0002), target: .port("vm1")),
            ])
    }

    @Test func interfaces() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        #expect(configuration.vrfs == ["default", "red"])
        #expect(
            configuration.vsiInterfaces == [
                Configuration.VSIInterface(
                    name: "vsi10", vsi: "vpna",
                    addresses: [prefix("10.1.1.1/24"), prefix("10.9.9.9/32")], source: .vtep,
                    mac: MACAddress(bits: 0x0200_0000_0110), distributedGateway: true,
                    localProxyARP: true, mtu: 1450, rpf: .loose, forwarding: false)
            ])
        #expect(
            configuration.nativePorts == [
                Configuration.NativePort(
                    name: "wan", type: .packet, device: "wan0", vlan: 7, vrf: "red",
                    addresses: [prefix("50.1.1.254/24")], mtu: 9000)
            ])
        #expect(
            configuration.staticARP == [
                Configuration.StaticARP(
                    interface: "vsi10", address: ip("10.1.1.12"),
                    mac: MACAddress(bits: 0x02AA_0000_0001))
            ])
    }

    @Test func routes() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        #expect(
            configuration.staticRoutes == [
                Configuration.StaticRoute(
                    prefix: prefix("0.0.0.0/0"), via: [ip("10.1.1.2"), ip("10.1.1.3")],
                    interface: "vsi10"),
                Configuration.StaticRoute(
                    prefix: prefix("192.168.2.0/24"), via: [ip("192.168.2.254")],
                    interface: "vsi10", onlink: true),
                Configuration.StaticRoute(
                    prefix: prefix("203.0.113.0/24"), via: [], vrf: "red", blackhole: true),
                // The route names no VRF: it is in that of its interface.
                Configuration.StaticRoute(
                    prefix: prefix("198.18.0.0/15"), via: [ip("50.1.1.1")], interface: "wan",
                    vrf: "red"),
            ])
        #expect(
            configuration.policyRoutes == [
                Configuration.PolicyRoute(
                    name: "out", order: 10, interface: "vsi10", source: prefix("10.1.1.0/24"),
                    protocolNumber: 6, sourcePorts: 1024...65535, destinationPorts: 443...443,
                    nextHop: ip("10.1.1.2"))
            ])
    }

    @Test func timersAndServices() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        #expect(
            configuration.timers
                == Configuration.Timers(
                    arpAgeingSeconds: 3600, arpRetrySeconds: 0.5, arpAttempts: 5,
                    macMoveWindowSeconds: 60, macFreezeSeconds: 300))
        #expect(
            configuration.limits
                == Configuration.Limits(
                    arpPuntPerSecond: 1_000_000, icmpErrorsPerSecond: 0, unresolvedQueue: 64,
                    macMoves: 10))
        #expect(
            configuration.control
                == Configuration.Control(socket: "/tmp/c.sock", group: "vxgate"))
        #expect(configuration.metrics == Configuration.Metrics(address: "127.0.0.1", port: 9477))
        #expect(configuration.state == Configuration.State(directory: "/tmp/state"))
    }

    @Test(arguments: [
        ("on", true), ("true", true), ("yes", true), ("True", true), ("'on'", true),
        ("off", false), ("false", false), ("no", false), ("OFF", false), ("\"no\"", false),
    ]) func boolean(_ text: String, _ value: Bool) throws {
        let result = try parsed(
            "vtep: { address: 10.0.0.1 }\nvsis: [ { name: a, learning: \(text) } ]")
        #expect(result.configuration.vsis[0].learning == value)
    }

    @Test(arguments: [("300s", 300), ("5m", 300), ("2h", 7200), ("1d", 86400), ("5000ms", 5)])
    func time(_ text: String, _ seconds: Int) throws {
        let result = try parsed(
            "vtep: { address: 10.0.0.1 }\nvsis: [ { name: a, ageing: \(text) } ]")
        #expect(result.configuration.vsis[0].ageingSeconds == seconds)
    }

    @Test func numbersMayBeQuotedAndSectionsEmpty() throws {
        let result = try parsed(
            """
            vtep: { address: "10.0.0.1", udp-port: "4790" }
            peers:
            vsis: ~
            static-fdb: []
            limits: {}
            timers:
            """)
        #expect(result.configuration.vtep.udpPort == 4790)
        #expect(result.configuration.vsis.isEmpty)
        #expect(result.configuration.limits == Configuration.Limits())
    }

    @Test func subnetsMayNestOnlyAsHostAddresses() throws {
        let text = """
            vtep: { address: 10.0.0.1 }
            vsis: [ { name: a }, { name: b }, { name: c } ]
            vsi-interfaces:
              - { name: a, vsi: a, address: [192.168.1.1/24, 192.168.1.2/24] }
              - { name: b, vsi: b, address: 192.168.1.254/32 }
              - { name: c, vsi: c, address: 10.0.0.0/31 }
            """
        #expect(try parsed(text).configuration.vsiInterfaces.count == 3)
    }

    @Test func proxyBesideSuppressionIsAWarning() throws {
        let text = replacing(
            "{ name: g20, vsi: v20,", by: "{ name: g20, vsi: v20, local-proxy-arp: on,",
            in: ConfigurationTexts.small)
        let warnings = try parsed(text).warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.path == "vsi-interfaces[1].local-proxy-arp")
        #expect(
            warnings.first?.description
                == "t.yaml:22:45: warning: vsi-interfaces[1].local-proxy-arp: "
                + "vsis[1].arp-suppression (line 13) is on as well: only local-proxy-arp acts")
    }

    @Test func staticARPThatNothingUsesIsAWarning() throws {
        let outside = replacing("10.0.10.101", by: "10.9.9.9", in: ConfigurationTexts.small)
        #expect(try parsed(outside).warnings.map(\.path) == ["static-arp[0].address"])
        let onlink =
            outside + "\n  - { prefix: 9.0.0.0/8, via: 10.9.9.9, interface: g10, onlink: on }"
        #expect(try parsed(onlink).warnings.isEmpty)
    }

    @Test func aRouteToAConnectedSubnetIsAWarning() throws {
        for (prefix, vrf, count) in [
            ("10.0.20.0/24", "red", 1), ("10.0.10.1/32", "red", 0), ("10.0.20.0/25", "red", 0),
            ("10.0.20.0/24", "blue", 0),
        ] {
            let route =
                "\n  - { prefix: \(prefix), vrf: \(vrf), via: 10.0.10.2, interface: "
                + "\(vrf == "red" ? "g10" : "g30") }"
            let warnings = try parsed(ConfigurationTexts.small + route).warnings
            #expect(
                warnings.map(\.path) == Array(repeating: "static-routes[1].prefix", count: count))
            #expect(warnings.allSatisfy { $0.text.contains("is connected by interface g20") })
        }
    }

    @Test func floodPeersAreThoseOfTheListOrThoseThatCarryTheVNI() throws {
        let configuration = try parsed(ConfigurationTexts.full).configuration
        #expect(
            configuration.floodPeers(of: configuration.vsis[0]).map(\.name) == ["gw2", "border"])
        #expect(configuration.floodPeers(of: configuration.vsis[1]).isEmpty)
        let other = Configuration.VSI(name: "x", vni: VNI(bits: 11))
        #expect(configuration.floodPeers(of: other).map(\.name) == ["gw2"])
        let none = Configuration.VSI(name: "x", vni: VNI(bits: 11), floodList: [])
        #expect(configuration.floodPeers(of: none).isEmpty)
    }

    @Test func linesOfParts() throws {
        let configuration = try parsed(ConfigurationTexts.small).configuration
        #expect(configuration.line(of: "vsis[1].vni") == 13)
        #expect(configuration.line(of: "vsis[1].ageing") == 13)
        #expect(configuration.line(of: "static-routes[0].via") == 30)
        #expect(configuration.line(of: "timers.arp-retry") == nil)
        let moved = try parsed("# a comment\n" + ConfigurationTexts.small).configuration
        #expect(moved == configuration)
        #expect(moved.line(of: "vsis[1].vni") == 14)
    }

    @Test func inactiveParts() throws {
        #expect(try parsed(ConfigurationTexts.small).configuration.inactive().isEmpty)
        #expect(
            try parsed(ConfigurationTexts.full).configuration.inactive() == ["state"])
        #expect(try parsed("vtep: { address: 10.0.0.1 }").configuration.inactive().isEmpty)
    }
}

private func ip(_ text: String) -> IPv4Address { IPv4Address(text) ?? .any }

private func prefix(_ text: String) -> IPv4Prefix {
    IPv4Prefix(text) ?? IPv4Prefix(address: .any, length: 0)
}
