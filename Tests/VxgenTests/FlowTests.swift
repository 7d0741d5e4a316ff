import Generator
import Testing
import Wire

/// Flows: the same for the same seed, each different from every other.
@Suite struct FlowTests {
    private func space(_ source: String, _ destination: String, seed: UInt64 = 1) -> FlowSpace {
        FlowSpace(
            source: IPv4Prefix(source)!, destination: IPv4Prefix(destination)!, seed: seed)
    }

    @Test func aSeedNamesTheFlows() {
        let here = (0..<100).map { Flow($0, in: space("10.0.0.0/8", "10.0.0.0/8", seed: 5)) }
        let again = (0..<100).map { Flow($0, in: space("10.0.0.0/8", "10.0.0.0/8", seed: 5)) }
        let other = (0..<100).map { Flow($0, in: space("10.0.0.0/8", "10.0.0.0/8", seed: 6)) }
        #expect(here == again)
        #expect(zip(here, other).allSatisfy { $0 != $1 })
    }

    @Test func noTwoFlowsOfOnePairOfAddressesAreOne() {
        let space = space("10.1.1.11", "10.1.1.12/32")
        var ports: Set<UInt32> = []
        for number: UInt32 in 0..<300_000 {
            let flow = Flow(number, in: space)
            #expect(flow.source == IPv4Address("10.1.1.11"))
            #expect(flow.destination == IPv4Address("10.1.1.12"))
            ports.insert(UInt32(flow.sourcePort) << 16 | UInt32(flow.destinationPort))
            #expect(flow.sourcePort >= 49152 && (20000...36383).contains(flow.destinationPort))
        }
        #expect(ports.count == 300_000)
    }

    @Test func addressesAreHostsOfThePrefix() {
        let space = space("10.1.1.77/29", "10.2.0.0/31")
        var sources: Set<UInt32> = []
        var destinations: Set<UInt32> = []
        for number: UInt32 in 0..<1000 {
            let flow = Flow(number, in: space)
            sources.insert(flow.source.bits)
            destinations.insert(flow.destination.bits)
        }
        let network = IPv4Address("10.1.1.72")!.bits
        #expect(sources == Set((1...6).map { network + $0 }))
        #expect(destinations == Set((0...1).map { IPv4Address("10.2.0.0")!.bits + $0 }))
    }

    /// Every range is gone through, and a host has one MAC address in all its flows.
    @Test func rangesAreGoneThrough() {
        var space = space("10.1.0.0/24", "10.2.0.0/24")
        space.sourcePorts = 1000...1009
        space.destinationPorts = 53...53
        space.vlans = 7...9
        space.vnis = 100...104
        space.sourceMACs = MACRange(first: MACAddress(bits: 0x0200_0000_00F0), count: 254)
        var owners: [IPv4Address: MACAddress] = [:]
        for number: UInt32 in 0..<3000 {
            let flow = Flow(number, in: space)
            #expect(flow.sourcePort == 1000 + UInt16(number % 10) && flow.destinationPort == 53)
            #expect(flow.vlan == 7 + UInt16(number % 3))
            #expect(flow.vni.bits == 100 + number % 5)
            let host = UInt64(flow.source.bits - IPv4Address("10.1.0.0")!.bits - 1)
            #expect(flow.sourceMAC.bits == 0x0200_0000_00F0 + host)
            #expect(
                owners.updateValue(flow.sourceMAC, forKey: flow.source) ?? flow.sourceMAC
                    == flow.sourceMAC)
        }
        #expect(owners.count == 254, "by chance 3000 flows meet every one of 254 hosts")
        space.isSequential = true
        for number: UInt32 in 0..<600 {
            let flow = Flow(number, in: space)
            #expect(flow.source.bits & 255 == number % 254 + 1)
            #expect(flow.destination.bits & 255 == number % 254 + 1)
        }
    }

    @Test func turnsKeepTheWeights() {
        #expect(StreamSchedule(weights: [6, 2], longest: 1).turns.map(\.frames) == [3, 1])
        #expect(StreamSchedule(weights: [1, 1], longest: 64).turns.map(\.frames) == [64, 64])
        #expect(StreamSchedule(weights: [1000, 1], longest: 64).turns.map(\.frames) == [1000, 1])
        #expect(StreamSchedule(weights: [5], longest: 64).turns.map(\.frames) == [64])
    }
}
