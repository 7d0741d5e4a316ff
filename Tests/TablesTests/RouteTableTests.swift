import Memory
import TestKit
import Testing
import Wire

@testable import Tables

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

    @Test func ownAddressesAndEdgesLieBesideTheRoutes() {
        // As many as fill a filter of one size, in two VRFs; every other address is connected.
        var routes = [route(0, "10.0.0.0/8", 7), route(1, "10.0.0.0/8", 8)]
        let special = (0..<2000).map { (vrf: $0 % 2, address: 0x0A00_0000 + UInt32($0) * 37) }
        routes += special.enumerated().map { index, place in
            RouteTable.Route(
                vrf: place.vrf,
                prefix: IPv4Prefix(address: IPv4Address(bits: place.address), length: 32),
                action: index % 3 == 0 ? .own : .edge)
        }
        let table = RouteTable(routes, vrfCount: 2)
        defer { table.deallocate() }
        var maybe = 0
        for (index, place) in special.enumerated() {
            let value = table.find(vrf: UInt16(place.vrf), address: place.address)
            #expect(index % 3 == 0 ? RouteTable.isOwn(value) : RouteTable.isEdge(value))
            #expect(table.addressFilter.mayHold(vrf: UInt16(place.vrf), address: place.address))
            // The same address in the other VRF, and its neighbors, are nothing special.
            let other = table.find(vrf: UInt16(1 - place.vrf), address: place.address)
            #expect(RouteTable.nextHop(other, flowHash: 0) == 8 - place.vrf)
            let next = table.find(vrf: UInt16(place.vrf), address: place.address + 1)
            #expect(RouteTable.isForward(next))
            if table.addressFilter.mayHold(vrf: UInt16(place.vrf), address: place.address + 1) {
                maybe += 1
            }
        }
        #expect(maybe < special.count / 4, "the filter says maybe to \(maybe)")
    }

    @Test func anEdgeWinsOverAHostRoute() {
        let edge = RouteTable.Route(vrf: 0, prefix: Self.prefix("10.0.0.255/32"), action: .edge)
        let table = RouteTable([edge, route(0, "10.0.0.255/32", 3)], vrfCount: 1)
        defer { table.deallocate() }
        #expect(RouteTable.isEdge(table.find(vrf: 0, address: 0x0A00_00FF)))
    }

    @Test func aSinglePathIsAForwardToOneNextHop() {
        func value(_ action: RouteTable.Action, _ count: Int) -> UInt64 {
            RouteTable.Route(
                vrf: 0, prefix: Self.prefix("0.0.0.0/0"), action: action, firstNextHop: 9,
                nextHopCount: count
            ).value
        }
        #expect(RouteTable.isSinglePath(value(.forward, 1)))
        #expect(!RouteTable.isSinglePath(value(.forward, 2)))
        #expect(!RouteTable.isSinglePath(value(.blackhole, 0)))
        #expect(!RouteTable.isSinglePath(value(.own, 1)))
        #expect(!RouteTable.isSinglePath(0))
    }

    /// The few distinct bits of the addresses make prefixes lie inside each other.
    private static let bits: UInt32 = 0xC0C0_C0C3

    /// Up to 400 routes of every length over some VRFs, no two of one prefix.
    private func randomRoutes(vrfs: Int, _ random: inout SeededRandom) -> [RouteTable.Route] {
        var routes: [RouteTable.Route] = []
        for index in 0..<random.int(in: 1...400) {
            let length = UInt8(random.int(in: 0...32))
            let bits = UInt32(truncatingIfNeeded: random.next()) & Self.bits
            let prefix = IPv4Prefix(address: IPv4Address(bits: bits), length: length)
            let vrf = random.int(in: 0...vrfs - 1)
            let isThere = routes.contains {
                $0.vrf == vrf && $0.prefix.length == length && $0.prefix.network == prefix.network
            }
            guard !isThere else { continue }
            routes.append(
                RouteTable.Route(
                    vrf: vrf, prefix: prefix,
                    action: length == 32 && random.int(in: 0...1) == 0 ? .own : .forward,
                    firstNextHop: index, nextHopCount: 1))
        }
        return routes
    }

    /// Forty VRFs have the small roots.
    @Test(arguments: [4, 40])
    func agreesWithALinearSearch(vrfs: Int) {
        var random = SeededRandom.forTest("RouteTable")
        for _ in 0..<20 {
            let routes = randomRoutes(vrfs: vrfs, &random)
            let table = RouteTable(routes, vrfCount: vrfs)
            defer { table.deallocate() }
            for _ in 0..<500 {
                let vrf = random.int(in: 0...vrfs)
                let address = UInt32(truncatingIfNeeded: random.next()) & Self.bits
                let best = routes.filter {
                    $0.vrf == vrf && $0.prefix.contains(IPv4Address(bits: address))
                }.max { $0.prefix.length < $1.prefix.length }
                #expect(table.find(vrf: UInt16(vrf), address: address) == best?.value ?? 0)
            }
        }
    }

    @Test(arguments: [3, 40])
    func manyAtOnceAreFoundAsOneByOne(vrfs: Int) {
        var random = SeededRandom.forTest("RouteTable, many at once")
        let room = 256
        let keys = Column<UInt64>(count: room, repeating: 0)
        let values = Column<UInt64>(count: room, repeating: 0)
        let walks = Column<UInt64>(count: room, repeating: 0)
        defer { for column in [keys, values, walks] { column.deallocate() } }
        for _ in 0..<40 {
            let table = RouteTable(randomRoutes(vrfs: vrfs, &random), vrfCount: vrfs)
            defer { table.deallocate() }
            let count = random.int(in: 0...room)
            for index in 0..<count {
                let isRepeated = index > 0 && random.int(in: 0...2) == 0
                keys[index] =
                    isRepeated
                    ? keys[index - 1]
                    : UInt64(random.int(in: 0...vrfs)) << 32 | random.next() & UInt64(Self.bits)
                values[index] = .max
            }
            table.find(keys: keys, count: count, values: values, walks: walks)
            for index in 0..<count {
                // A repeated key is not answered again.
                guard index == 0 || keys[index] != keys[index - 1] else {
                    #expect(values[index] == .max)
                    continue
                }
                let found = table.find(
                    vrf: UInt16(keys[index] >> 32), address: UInt32(keys[index] & 0xFFFF_FFFF))
                #expect(values[index] == found)
            }
        }
    }
}
