import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Neighbors for whom the directory in front of the ARP table has no room: they are asked for in
/// the table, many at a time, beside others.
@Suite struct ManyNeighborsTests {
    typealias Site = TestSite

    /// Four of a cell, 2^18 addresses apart, for each of 600 cells: one of the four has it.
    private static let cells = 600
    private static let perCell = 4
    private let gateway: TestGateway

    init() {
        gateway = TestGateway(
            Site.routed.with { configuration in
                configuration.vsiInterfaces[1].addresses = [
                    IPv4Prefix(address: Self.address(0, 0, host: 1), length: 8)
                ]
                for host in 0..<Self.cells * Self.perCell {
                    let known = Self.host(host)
                    configuration.staticARP.append(
                        .init(interface: "g20", address: known.address, mac: known.mac))
                    configuration.staticFDB.append(
                        .init(vsi: "v20", mac: known.mac, target: Self.target(host)))
                }
            })
    }

    private static func address(_ cell: Int, _ row: Int, host: Int = 0) -> IPv4Address {
        IPv4Address(bits: 0x1E00_1000 + UInt32(row << 18) + UInt32(cell + host))
    }

    private static func host(_ number: Int) -> Site.Host {
        Site.Host(
            mac: MACAddress(bits: 0x02DD_0000_0000 + UInt64(number)),
            address: address(number / perCell + 2, number % perCell))
    }

    private static func target(_ number: Int) -> FDBTarget {
        number % 3 == 0 ? .port("a3") : .peer("p1")
    }

    private func packet(to host: Site.Host, _ number: Int) -> Arrival {
        .device(
            "a1",
            Site.udp(
                from: Site.h1, to: host, destinationMAC: Site.gatewayMAC,
                sourcePort: UInt16(number & 0x7FFF)))
    }

    /// Each frame leaves to its own neighbor, alone or in a batch, in the order of arrival.
    @Test func everyNeighborIsFound() {
        var random = SeededRandom.forTest("ManyNeighbors")
        for count in [1, 2, 31, 256, 256, 256] {
            let hosts = (0..<count).map { _ in
                random.int(in: 0...Self.cells * Self.perCell - 1)
            }
            let turn = gateway.receive(hosts.map { packet(to: Self.host($0), $0) })
            #expect(turn.outputs.count == count && turn.isBalanced)
            // Ports and peers each keep their order.
            for isPort in [true, false] {
                let asked = hosts.filter { ($0 % 3 == 0) == isPort }
                let left = turn.outputs.filter { ($0.place == .port("a3")) == isPort }
                #expect(left.map { Array($0.frame.prefix(6)) } == asked.map(Self.octets))
            }
        }
    }

    private static func octets(_ number: Int) -> [UInt8] {
        let mac = host(number).mac.bits
        return (0..<6).map { UInt8(truncatingIfNeeded: mac >> UInt64(40 - 8 * $0)) }
    }

    /// Of those in between some do not exist: their packets wait, and only theirs.
    @Test func strangersAmongThemWaitAlone() {
        var random = SeededRandom.forTest("ManyNeighbors strangers")
        var known = 0
        var arrivals: [Arrival] = []
        for number in 0..<256 {
            if random.int(in: 0...7) == 0 {
                let nobody = Site.Host(
                    mac: MACAddress(bits: 1), address: Self.address(number, 9, host: 5000))
                arrivals.append(packet(to: nobody, number))
            } else {
                known += 1
                arrivals.append(
                    packet(
                        to: Self.host(random.int(in: 0...Self.cells * Self.perCell - 1)), number))
            }
        }
        let turn = gateway.receive(arrivals)
        #expect(turn.outputs.count == known)
        #expect(turn.tally.held == UInt64(256 - known) && turn.isBalanced)
    }
}
