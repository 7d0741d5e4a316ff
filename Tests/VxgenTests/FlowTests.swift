import Generator
import Testing
import Wire

/// Flows: the same for the same seed, each different from every other.
@Suite struct FlowTests {
    private func space(_ source: String, _ destination: String, seed: UInt64 = 1) -> Flow.Space {
        Flow.Space(
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
}
