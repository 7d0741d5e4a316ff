import Control
import Testing

@testable import ControlAPI

/// Every path of the API over a real socket, with its JSON as text.
@Suite(.timeLimit(.minutes(1))) struct RouteTests {
    private func answers(_ expected: [(String, String)]) async throws {
        try await withServer { path in
            let client = ControlClient(path: path)
            for (target, text) in expected {
                let bytes = try client.request("GET", target)
                #expect(String(decoding: bytes, as: UTF8.self) == text, "GET \(target)")
            }
        }
    }

    @Test func tables() async throws {
        try await answers([
            (
                "/v1/vsi?name=br1",
                #"[{"ageing_seconds":0,"dev":null,"dstport":null,"fdb_entries":1,"flood_list":[],"#
                    + #""flooded_packets":0,"local":null,"mtu":null,"name":"br1","ports":[],"#
                    + #""remote":[],"rx_packets":0,"srcport":[],"state":"down","tx_packets":0,"#
                    + #""udp_checksum":null,"vni":null}]"# + "\n"
            ),
            (
                "/v1/vni",
                #"[{"ageing_seconds":300,"dev":"eth0","dstport":4789,"fdb_entries":2,"#
                    + #""flood_list":["gw2","border"],"flooded_packets":1,"local":"10.33.30.150","#
                    + #""mtu":1450,"name":"vpna","ports":["vm1"],"remote":["10.33.30.151"],"#
                    + #""rx_packets":3,"srcport":[49152,49167],"state":"up","tx_packets":4,"#
                    + #""udp_checksum":"auto","vni":10}]"# + "\n"
            ),
            (
                "/v1/peer",
                #"[{"address":"10.33.30.151","name":"gw2","rx_bytes":500,"rx_packets":5,"#
                    + #""tx_bytes":600,"tx_packets":6,"vnis":[10,20]}]"# + "\n"
            ),
            (
                "/v1/port",
                #"[{"device":"vm1","name":"vm1","rx_bytes":99,"rx_drops":0,"rx_packets":1234,"#
                    + #""state":"up","tx_bytes":8,"tx_drops":1,"tx_packets":7,"type":"tap","#
                    + #""vlan":null,"vsi":"vpna"}]"# + "\n"
            ),
            (
                "/v1/fdb",
                #"[{"address":null,"age_seconds":12,"frozen":false,"kind":"dynamic","#
                    + #""mac":"02:aa:00:00:00:01","#
                    + #""moves":1,"peer":null,"port":"vm1","vni":10,"vsi":"vpna"},"# + "\n "
                    + #"{"address":"10.33.30.151","age_seconds":0,"frozen":false,"kind":"flood","#
                    + #""mac":"00:00:00:00:00:00","moves":0,"peer":"gw2","port":null,"vni":10,"#
                    + #""vsi":"vpna"},"# + "\n "
                    + #"{"address":null,"age_seconds":0,"frozen":false,"kind":"own","#
                    + #""mac":"02:00:00:00:01:10","#
                    + #""moves":0,"peer":null,"port":null,"vni":null,"vsi":"br1"}]"# + "\n"
            ),
            (
                "/v1/arp",
                #"[{"address":"10.1.1.11","age_seconds":3,"frozen":false,"interface":"vsi10","#
                    + #""kind":"dynamic","#
                    + #""mac":null,"peer":null,"port":null,"state":"incomplete","vrf":"default"}]"#
                    + "\n"
            ),
            (
                "/v1/route",
                #"[{"interface":"vxlan1","kind":"static","onlink":true,"#
                    + #""prefix":"192.168.2.0/24","via":"192.168.2.254","vrf":"default"},"# + "\n "
                    + #"{"interface":null,"kind":"blackhole","onlink":false,"#
                    + #""prefix":"10.9.0.0/16","via":null,"vrf":"default"}]"# + "\n"
            ),
            (
                "/v1/policy",
                #"[{"destination":"0.0.0.0/0","destination_ports":"80-443","interface":"vsi10","#
                    + #""name":"out","next_hop":"10.1.1.2","order":10,"packets":9,"#
                    + #""protocol":"tcp","source":"10.1.1.0/24"}]"# + "\n"
            ),
        ])
    }

    @Test func countersAndService() async throws {
        let counters =
            #"{"events":{"fdb_limit":0,"fdb_moves":3},"stages":[{"bytes":640,"#
            + #""clocks_per_packet":123.4,"drops":2,"packets":10,"packets_per_vector":2.5,"#
            + #""stage":"parse","vectors":4}],"totals":{"consumed":0,"dropped":2,"held":0,"#
            + #""received":10,"replicated":1,"transmitted":9}}"#
        try await answers([
            ("/v1/counters", counters + "\n"),
            (
                "/v1/drops",
                #"[{"description":"no VSI has this VNI","packets":2,"reason":"vxlan_unknown_vni","#
                    + #""stage":"classify"},"# + "\n "
                    + #"{"description":"the socket buffer was full","packets":0,"#
                    + #""reason":"kernel_socket_overflow","stage":"kernel"}]"# + "\n"
            ),
            (
                "/v1/events",
                #"[{"count":0,"event":"fdb_limit"},"# + "\n " + #"{"count":3,"event":"fdb_moves"}]"#
                    + "\n"
            ),
            (
                "/v1/runtime",
                #"{"features":{"udp_gro":"on"},"inactive":["static-routes"],"workers":[{"#
                    + #""buffers":1024,"buffers_in_use":3,"busy_share":0.25,"#
                    + #""completions_per_turn":2.5,"counters":"# + counters
                    + #","cpu":1,"multishot_rearmed":0,"submissions_per_turn":2,"turns":8,"#
                    + #""wakeups":4,"worker":0}]}"# + "\n"
            ),
            (
                "/v1/version",
                #"{"name":"gw1","pid":12,"uptime_seconds":12000.5,"version":"1.0.0"}"# + "\n"
            ),
            ("/v1/config", "vtep: { address: 10.33.30.150 } # ü\n"), ("/healthz", "ok\n"),
            ("/readyz", "ready\n"), ("/v1/openapi.json", openAPIDocument),
        ])
    }

    @Test func vniByNumberAndName() async throws {
        try await withServer { path in
            let client = ControlClient(path: path)
            let byNumber = try client.get([VSIReport].self, "/v1/vni", query: ["name": "10"])
            #expect(byNumber.map(\.name) == ["vpna"])
            let byName = try client.get([VSIReport].self, "/v1/vni", query: ["name": "vpna"])
            #expect(byName == byNumber)
            for (name, text) in [
                ("77", "no VSI has VNI 77"), ("nowhere", "VSI `nowhere` does not exist"),
                ("br1", "VSI `br1` has no VNI: it is local to this gateway"),
            ] {
                #expect(throws: ControlClientError.refused(status: 404, text: text, details: [])) {
                    try client.request("GET", "/v1/vni", query: ["name": name])
                }
            }
        }
    }

    /// A filter is named after the thing, beside the name that may stand alone.
    @Test func thingsByTheirOwnFilter() async throws {
        try await withServer { path in
            let client = ControlClient(path: path)
            for (thing, filter, name) in [
                ("vsi", "vsi", "br1"), ("vni", "vsi", "vpna"), ("peer", "peer", "gw2"),
                ("port", "port", "vm1"),
            ] {
                let found = try client.request("GET", "/v1/\(thing)", query: [filter: name])
                #expect(
                    try found == client.request("GET", "/v1/\(thing)", query: ["name": name]))
                #expect(throws: ControlClientError.self) {
                    try client.request("GET", "/v1/\(thing)", query: [filter: "nowhere"])
                }
            }
        }
    }

    @Test func filtersReachTheGateway() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let client = ControlClient(path: path)
            _ = try client.request(
                "GET", "/v1/fdb",
                query: ["vsi": "vpna", "port": "a b", "peer": "gw2", "mac": "2:AA:0:0:0:1"])
            _ = try client.request(
                "GET", "/v1/arp",
                query: ["interface": "vsi10", "vrf": "red", "address": "10.1.1.1", "vsi": nil])
        }
        #expect(
            plane.made == [
                "fdb vsi=vpna port=a b peer=gw2 mac=02:aa:00:00:00:01",
                "arp interface=vsi10 vrf=red address=10.1.1.1",
            ])
    }

    @Test func changes() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let client = ControlClient(path: path)
            func outcome(
                _ method: String, _ target: String, query: KeyValuePairs<String, String?> = [:],
                fields: [String: String] = [:]
            ) throws -> Outcome {
                try client.change(Outcome.self, method, target, query: query, fields: fields)
            }
            #expect(try outcome("DELETE", "/v1/counters") == Outcome())
            #expect(
                try outcome("DELETE", "/v1/fdb", query: ["vsi": "vpna", "static": "true"])
                    == Outcome(removed: 4))
            #expect(
                try outcome("DELETE", "/v1/arp", query: ["interface": "vsi10"])
                    == Outcome(removed: 5))
            #expect(
                try outcome(
                    "POST", "/v1/fdb",
                    fields: ["vsi": "vpna", "mac": "02:00:00:00:00:09", "peer": "gw2"])
                    == Outcome(added: 1))
            #expect(
                try outcome("DELETE", "/v1/fdb/vp%20na/02:00:00:00:00:09") == Outcome(removed: 1))
            #expect(
                try outcome(
                    "POST", "/v1/arp",
                    fields: [
                        "interface": "vsi10", "address": "10.1.1.12", "mac": "02:00:00:00:00:09",
                    ]) == Outcome(added: 1))
            #expect(try outcome("DELETE", "/v1/arp/vsi10/10.1.1.12") == Outcome(removed: 1))
            let applied = try client.apply(text: "vtep: {}", fileName: "/etc/a b.yaml")
            #expect(applied == ["VSI vpna: ageing 300 s -> 60 s"])
        }
        #expect(
            plane.made == [
                "clearCounters", "clearFDB vsi=vpna static=true", "clearARP interface=vsi10",
                "addFDB vpna 02:00:00:00:00:09 peer(\"gw2\")", "deleteFDB vp na 02:00:00:00:00:09",
                "addARP vsi10 10.1.1.12 02:00:00:00:00:09", "deleteARP vsi10 10.1.1.12",
                "apply /etc/a b.yaml 8",
            ])
    }
}
