import Control

/// The documents that configuration tests begin from.
enum ConfigurationTexts {
    /// Three VSIs in two VRFs, four ports, three peers; line numbers are those of `lines`.
    static let small = """
        system:
          name: t1
        vtep:
          address: 198.51.100.1
          df: set
        peers:
          - { name: p1, address: 198.51.100.11, vnis: [10010, 10020] }
          - { name: p2, address: 198.51.100.12, vnis: [10010] }
          - { name: p3, address: 198.51.100.13, vnis: [10030] }
        vrfs: [default, red, blue]
        vsis:
          - { name: v10, vni: 10010, flood-list: [p1, p2], arp-suppression: on }
          - { name: v20, vni: 10020, flood-list: [p1], arp-suppression: on }
          - { name: v30, vni: 10030, flood-list: [p3], arp-suppression: on }
        access-ports:
          - { name: a1, type: packet, device: a1, vsi: v10 }
          - { name: a2, type: packet, device: a2, vsi: v10 }
          - { name: a3, type: packet, device: a3, vsi: v20 }
          - { name: a4, type: packet, device: a4, vsi: v30 }
        vsi-interfaces:
          - { name: g10, vsi: v10, vrf: red, address: 10.0.10.1/24, mac: 00:00:5e:00:01:01 }
          - { name: g20, vsi: v20, vrf: red, address: 10.0.20.1/24, mac: 00:00:5e:00:01:01 }
          - { name: g30, vsi: v30, vrf: blue, address: 10.0.10.1/24, mac: 00:00:5e:00:01:01 }
        static-fdb:
          - { vsi: v10, mac: 02:aa:00:00:00:01, port: a1 }
          - { vsi: v10, mac: 02:bb:00:00:00:01, peer: p1 }
        static-arp:
          - { interface: g10, address: 10.0.10.101, mac: 02:aa:00:00:00:01 }
        static-routes:
          - { prefix: 192.0.2.0/24, via: 10.0.10.2, interface: g10, vrf: red }
        """

    /// Every key of the manual with a value that is not its default where that is possible.
    static let full = """
        system: { name: gw1, workers: 4, spin: 1500us, gather: 30us }
        vtep:
          address: 10.33.30.150
          udp-port: 8472
          underlay: tap
          device: vtep7
          source-ports: 1024
          ttl: inherit
          dscp: 46
          df: inherit
          udp-checksum: on
          reserved-bits: strict
          accept-unknown-peers: yes
        peers:
          - { name: gw2, address: 10.33.30.151 }
          - { name: border, address: 10.33.30.152, vnis: [10] }
        vrfs: [default, red]
        vsis:
          - name: vpna
            vni: 10
            flood-list: [gw2, border]
            flooding: { broadcast: on, unknown-unicast: off, multicast: "false" }
            learning: off
            arp-suppression: off
            ageing: 5m
            mac-limit: 100
            inner-vlan: strip
          - { name: local }
        access-ports:
          - { name: vm1, type: tap, device: vm1, netns: ns1, vsi: vpna }
          - { name: srv, type: packet, device: eth1, vlan: 100, vsi: vpna }
        vsi-interfaces:
          - name: vsi10
            vsi: vpna
            vrf: default
            address: [10.1.1.1/24, 10.9.9.9/32]
            source: vtep
            mac: 02:00:00:00:01:10
            distributed-gateway: true
            local-proxy-arp: true
            mtu: 1450
            rpf: loose
            forwarding: off
        native-ports:
          - { name: wan, type: packet, device: wan0, vlan: 7, vrf: red,
              address: 50.1.1.254/24, mtu: 9000 }
        static-fdb:    [ { vsi: vpna, mac: 02:aa:00:00:00:01, peer: gw2 },
                         { vsi: vpna, mac: 02-aa-00-00-00-02, port: vm1 } ]
        static-arp:    [ { interface: vsi10, address: 10.1.1.12, mac: 02:aa:00:00:00:01 } ]
        static-routes:
          - { prefix: 0.0.0.0/0, via: [10.1.1.2, 10.1.1.3], interface: vsi10,
              vrf: default, onlink: false }
          - { prefix: 192.168.2.0/24, via: 192.168.2.254, interface: vsi10, onlink: true }
          - { prefix: 203.0.113.0/24, blackhole: true, vrf: red }
          - { prefix: 198.18.0.0/15, via: 50.1.1.1, interface: wan }
        policy-routes:
          - { name: out, order: 10, interface: vsi10, source: 10.1.1.0/24, destination: 0.0.0.0/0,
              protocol: tcp, source-ports: 1024-65535, destination-ports: 443, next-hop: 10.1.1.2 }
        timers: { arp-ageing: 1h, arp-retry: 500ms, arp-attempts: 5,
                  mac-move-window: 1m, mac-freeze: 5m }
        limits: { arp-punt: 1Mpps, icmp-errors: 0pps, unresolved-queue: 64, mac-moves: 10 }
        control: { socket: /tmp/c.sock, group: vxgate }
        metrics: { listen: 127.0.0.1:9477 }
        state: { directory: /tmp/state }
        """
}

/// The result of a parse that must succeed, or a text that makes the failing test readable.
func parsed(_ text: String) throws -> ParsedConfiguration {
    do {
        return try Configuration.parse(text: text, fileName: "t.yaml")
    } catch {
        throw ParseFailure(text: error.diagnostics.map(\.description).joined(separator: "\n"))
    }
}

/// The errors of a text; empty when it is accepted.
func errors(_ text: String) -> [Diagnostic] {
    do {
        _ = try Configuration.parse(text: text, fileName: "t.yaml")
        return []
    } catch {
        return error.diagnostics
    }
}

struct ParseFailure: Error {
    let text: String
}
