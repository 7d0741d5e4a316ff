import Tables
import TestKit
import Testing
import Wire

@Suite struct RouteTableTests {
    private static func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text)! }

    private func route(
        _ vrf: Int, _ prefix: String, _ interface: Int, via: String? = nil
    ) -> RouteTable.Route {
        RouteTable.Route(
            vrf: vrf, prefix: Self.prefix(prefix), interface: interface,
            via: via.map { IPv4Address($0)! })
    }

    private func interface(_ table: RouteTable, _ vrf: Int, _ address: String) -> Int? {
        let value = table.find(vrf: UInt16(vrf), address: IPv4Address(address)!.bits)
        return value == 0 ? nil : RouteTable.interface(of: value)
    }

    @Test func takesTheLongestPrefix() {
        let table = RouteTable(
            [
                route(0, "0.0.0.0/0", 0, via: "10.0.0.1"), route(0, "10.0.0.0/8", 1),
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
        let value = table.find(vrf: 0, address: 0x0B00_0000)
        #expect(RouteTable.via(of: value) == 0x0A00_0001)
        #expect(RouteTable.via(of: table.find(vrf: 0, address: 0x0A01_0101)) == 0)
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
                let via = random.bool() ? IPv4Address(bits: UInt32(index + 1)) : nil
                routes.append(
                    RouteTable.Route(vrf: vrf, prefix: prefix, interface: index, via: via))
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
                #expect(RouteTable.interface(of: value) == best.interface)
                #expect(RouteTable.via(of: value) == best.via?.bits ?? 0)
            }
        }
    }
}
