import Control
import Dataplane
import TestKit
import Testing
import Wire

/// The outer source port: one flow, one port; many flows, many ports (RFC 7348 section 5).
@Suite struct SourcePortTests {
    typealias Site = TestSite

    private func gateway(ports: Int) -> TestGateway {
        var environment = TestGateway.environment(of: Site.known)
        environment.sourcePortCount = ports
        return TestGateway(Site.known, environment: environment)
    }

    private func port(_ gateway: TestGateway, _ frame: [UInt8]) -> UInt32? {
        gateway.receive(.device("a1", frame)).outputs.first?.outer?.sourcePort
    }

    private func flow(_ index: Int) -> [UInt8] {
        Site.udp(
            from: Site.h1, to: Site.r1, sourcePort: UInt16(1024 + index),
            destinationPort: UInt16(2000 + index % 3))
    }

    private func flow6(_ index: Int) -> [UInt8] {
        Site.udp6(from: Site.h1, to: Site.r1, sourcePort: UInt16(1024 + index))
    }

    private func labelled(_ index: Int) -> [UInt8] {
        FrameBuilder.ethernet(destination: Site.r1.mac, source: Site.h1.mac)
            .mpls(label: UInt32(100 + index), isLast: true).payload(count: 40).bytes
    }

    @Test func manyFlowsUseManyPorts() {
        let gateway = gateway(ports: 16_384)
        for make in [flow, flow6] {
            let ports = Set((0..<256).compactMap { port(gateway, make($0)) })
            #expect(ports.count >= 200)
            #expect(ports.allSatisfy { $0 < 16_384 })
            // Over the whole range and not a part of it.
            #expect(ports.contains { $0 < 4096 } && ports.contains { $0 >= 12_288 })
        }
        #expect(Set((0..<64).compactMap { port(gateway, labelled($0)) }).count >= 16)
    }

    @Test(arguments: [1, 2, 3, 16, 1000])
    func everyPortIsUsed(count: Int) {
        let gateway = gateway(ports: count)
        let flows = count * 16
        var uses = [Int](repeating: 0, count: count)
        for index in 0..<flows {
            guard let port = port(gateway, flow(index)) else { continue }
            #expect(port < UInt32(count))
            uses[Int(port)] += 1
        }
        #expect(uses.reduce(0, +) == flows)
        #expect(uses.count { $0 == 0 } <= count / 100)
    }

    @Test func aFlowKeepsItsPort() {
        let gateway = gateway(ports: 16_384)
        for make in [flow, flow6, labelled] {
            for index in 0..<16 {
                let alone = port(gateway, make(index))
                #expect(alone != nil)
                // Whatever is around it in the batch, and in another gateway.
                let turn = gateway.receive(
                    (0..<64).map { .device("a1", make($0 % 2 == 0 ? index : $0)) })
                for output in turn.outputs where output.arrival % 2 == 0 {
                    #expect(output.outer?.sourcePort == alone)
                }
                #expect(port(self.gateway(ports: 16_384), make(index)) == alone)
            }
        }
    }

    @Test func allCopiesOfAFrameHaveOnePort() {
        let gateway = gateway(ports: 16_384)
        let frame = flow(1).replacing(destination: .broadcast)
        let outputs = gateway.receive(.device("a1", frame)).outputs.compactMap(\.outer)
        #expect(outputs.count == 2)
        #expect(Set(outputs.map(\.sourcePort)).count == 1)
    }

    /// Tags and markings on the way do not make another flow.
    @Test func whatAFlowIsNot() {
        let gateway = gateway(ports: 16_384)
        let base = Site.udp(from: Site.h1, to: Site.r1)
        let marked = Site.udp(from: Site.h1, to: Site.r1, typeOfService: 0xB8, timeToLive: 3)
        let longer = Site.udp(from: Site.h1, to: Site.r1, payloadCount: 500)
        let ports = [base, marked, longer].map { port(gateway, $0) }
        #expect(Set(ports).count == 1)
    }
}
