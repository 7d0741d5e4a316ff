import Control
import Foundation
import Testing
import Wire

/// The shipped example files are right and say what the two set-ups need.
@Suite struct ConfigurationExampleTests {
    private static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("tools/lab/examples")

    private func example(_ name: String) throws -> Configuration {
        let url = Self.directory.appendingPathComponent(name)
        let result = try parsed(String(contentsOf: url, encoding: .utf8))
        #expect(result.warnings.isEmpty, "\(result.warnings)")
        return result.configuration
    }

    @Test func everyExampleIsRight() throws {
        let files = FileManager.default.enumerator(atPath: Self.directory.path)
        let names = (files?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".yaml") }
        #expect(names.count == 8)
        for name in names { _ = try example(name) }
    }

    @Test func pointToPoint() throws {
        let host1 = try example("point-to-point/host1.yaml")
        let host2 = try example("point-to-point/host2.yaml")
        #expect(host1.vtep.address == .address(host2.peers[0].address))
        #expect(host2.vtep.address == .address(host1.peers[0].address))
        #expect(host1.vsis.map(\.vni) == [nil, VNI(bits: 100)])
        #expect(host1.vsiInterfaces[1].addresses.map(\.description) == ["192.168.1.254/32"])
        #expect(host1.staticRoutes[0].prefix.description == "192.168.2.0/24")
        #expect(host1.staticRoutes[0].via == host2.vsiInterfaces[1].addresses.map(\.address))
        #expect(host1.staticRoutes[0].onlink)
    }

    @Test func distributed() throws {
        let gateways = [try example("distributed/gw1.yaml"), try example("distributed/gw2.yaml")]
        let border = try example("distributed/border.yaml")
        #expect(
            gateways[0].vsiInterfaces.map(\.addresses) == gateways[1].vsiInterfaces.map(\.addresses)
        )
        for gateway in gateways {
            #expect(gateway.vsiInterfaces.allSatisfy { $0.distributedGateway && $0.localProxyARP })
            #expect(
                gateway.policyRoutes.map(\.nextHop)
                    == border.vsiInterfaces.map { $0.addresses[0].address })
            #expect(gateway.vsis == border.vsis)
        }
        #expect(border.nativePorts[0].addresses.map(\.description) == ["50.1.1.254/24"])
    }

    @Test func centralized() throws {
        let gateway = try example("centralized/gateway.yaml")
        #expect(
            gateway.vsiInterfaces.map { $0.addresses[0].description } == [
                "10.1.1.1/24", "20.1.1.1/24",
            ])
        for name in ["vtep1", "vtep2"] {
            let leaf = try example("centralized/\(name).yaml")
            #expect(leaf.vsiInterfaces.isEmpty)
            #expect(leaf.vsis == gateway.vsis)
            #expect(leaf.peers.contains { .address($0.address) == gateway.vtep.address })
        }
    }
}
