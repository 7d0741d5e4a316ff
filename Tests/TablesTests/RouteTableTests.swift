import Tables
import TestKit
import Testing
import Wire

@Suite struct RouteTableTests {
    private static func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text)! }

    private func route(
        _ vrf: Int, _ prefix: String, _ nextHop: Int, count: Int = 1
    ) -> RouteTable.Route {
        RouteTable.Route(
            vrf: vrf, prefix: Self.prefix(prefix), action: .forward, firstNextHop: nextHop,
            nextHopCount: count)
    }

    private func interface(_ table: RouteTable, _ vrf: Int, _ address: String) -> Int? {
        let value = table.find(vrf: UInt16(vrf), address: IPv4Address(address)!.bits)
        return value == 0 ? nil : RouteTable.nextHop(value, flowHash: 0)
    }

    @Test func actionsAndSharesOfFlows() {
        let own = RouteTable.Route(vrf: 0, prefix: Self.prefix("10.0.0.1/32"), action: .own)
        let hole = RouteTable.Route(vrf: 0, prefix: Self.prefix("10.6.0.0/16"), action: .blackhole)
        let table = RouteTable([own, hole, route(0, "0.0.0.0/0", 7, count: 3)], vrfCount: 1)
        defer { table.deallocate() }
        #expect(RouteTable.isOwn(table.find(vrf: 0, address: 0x0A00_0001)))
        #expect(RouteTable.isBlackhole(table.find(vrf: 0, address: 0x0A06_0001)))
        let value = table.find(vrf: 0, address: 1)
        #expect(RouteTable.isForward(value) && RouteTable.nextHopCount(value) == 3)
        var counts = [0, 0, 0]
        for step in 0..<3000 {
            let hash = UInt32(truncatingIfNeeded: UInt64(step) << 32 / 3000)
            counts[RouteTable.nextHop(value, flowHash: hash) - 7] += 1
        }
        #expect(counts.allSatisfy { (999...1001).contains($0) }, "\(counts)")
        #expect(RouteTable.nextHop(value, flowHash: .max) == 9)
    }

    @Test func takesTheLongestPrefix() {
        let table = RouteTable(
            [
                route(0, "0.0.0.0/0", 0), route(0, "10.0.0.0/8", 1),
                route(0, "10.1.0.0/16", 2), route(0, "10.1.1.0/24", 3),
                route(0, "10.1.1.128/25", 4), route(0, "10.1.1.200/32", 5),
            ], vrfCount: 1)
        defer { table.deallocate() }
        #expect(interface(table, 0, "10.1.1.200") == 5)
        #expect(interface(table, 0, "10.1.1.201") == 4)
        #expect(interface(table, 0, "10.1.1.127") == 3)
        #expect(interface(table, 0, "10.1.2.1") == 2)
        #expect(interface(table, 0, "10.2.2.1") == 1)
        #expect(interface(table, 0, "11.0.0.0") == 0)
    }

    @Test func keepsVRFsApart() {
        let table = RouteTable(
            [route(0, "10.0.0.0/8", 1), route(2, "10.0.0.0/8", 2), route(2, "0.0.0.0/0", 3)],
            vrfCount: 3)
        defer { table.deallocate() }
        #expect(interface(table, 0, "10.9.9.9") == 1)
        #expect(interface(table, 1, "10.9.9.9") == nil)
        #expect(interface(table, 2, "10.9.9.9") == 2)
        #expect(interface(table, 0, "11.0.0.1") == nil)
        #expect(interface(table, 2, "11.0.0.1") == 3)
        #expect(interface(table, 3, "10.9.9.9") == nil)
        #expect(interface(table, 0xFFFF, "10.9.9.9") == nil)
    }

    @Test func emptyTableHasNoRoute() {
        let table = RouteTable([], vrfCount: 0)
        defer { table.deallocate() }
        #expect(table.find(vrf: 0, address: 0) == 0)
        #expect(table.find(vrf: 0, address: .max) == 0)
    }

    @Test func agreesWithALinearSearch() {
        var random = SeededRandom.forTest("RouteTable")
        for _ in 0..<20 {
            var routes: [RouteTable.Route] = []
            for index in 0..<random.int(in: 1...400) {
                let length = UInt8(random.int(in: 0...32))
                // Few distinct bits, so that prefixes lie inside each other.
                let bits = UInt32(truncatingIfNeeded: random.next()) & 0xC0C0_C0C3
                let prefix = IPv4Prefix(address: IPv4Address(bits: bits), length: length)
                let vrf = random.int(in: 0...3)
                guard
                    !routes.contains(where: {
                        $0.vrf == vrf && $0.prefix.length == length
                            && $0.prefix.network == prefix.network
                    })
                else { continue }
                routes.append(
                    RouteTable.Route(
                        vrf: vrf, prefix: prefix, action: .forward, firstNextHop: index,
                        nextHopCount: 1))
            }
            let table = RouteTable(routes, vrfCount: 4)
            defer { table.deallocate() }
            for _ in 0..<500 {
                let vrf = random.int(in: 0...4)
                let address = UInt32(truncatingIfNeeded: random.next()) & 0xC0C0_C0C3
                let best = routes.filter {
                    $0.vrf == vrf && $0.prefix.contains(IPv4Address(bits: address))
                }.max { $0.prefix.length < $1.prefix.length }
                let value = table.find(vrf: UInt16(vrf), address: address)
                guard let best else {
                    #expect(value == 0)
                    continue
                }
                #expect(RouteTable.nextHop(value, flowHash: 0) == best.firstNextHop)
            }
        }
    }
}
