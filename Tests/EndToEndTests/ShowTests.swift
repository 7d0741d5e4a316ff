import Foundation
import Programs
import Testing

extension EndToEnd {
    /// What `vxgate show` says of a gateway that works.
    @Suite("Show")
    struct ShowTests {
        private struct VXLAN: Decodable {
            var name: String
            var mtu: Int
            var state: String
            var local: String
            var remote: [String]
            var dev: String
            var srcport: [Int]
            var dstport: Int
            var ageingSeconds: Int
            var udpChecksum: String
        }

        @Test("The border's way out is a port like others; VXLANs say all that `ip link` says")
        func nativePortAndTunnel() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                try #expect(lab.ping("vm1", "50.1.1.1") == 3)
                for words in [["wan"], ["--port", "wan"], ["--vsi", "native:wan"]] {
                    let shown = try lab.vxgate("border", ["show", "port", "--json"] + words)
                    let rows: [Shown.Port] = try Shown.decode(shown.output)
                    #expect(rows.map(\.name) == ["wan"] && rows[0].state == "up")
                    #expect(rows[0].rxPackets >= 3 && rows[0].txPackets >= 3)
                }
                let shown = try lab.vxgate("gw1", ["show", "vsi", "--vsi", "vpna", "--json"])
                let rows: [VXLAN] = try Shown.decode(shown.output)
                let vpna = try #require(rows.first)
                #expect(rows.count == 1 && vpna.mtu == 1450 && vpna.state == "up")
                #expect(vpna.remote.count == 2 && !vpna.remote.contains(vpna.local))
                #expect(!vpna.dev.isEmpty && vpna.dstport == 4789 && vpna.ageingSeconds == 300)
                #expect(vpna.srcport.count == 2 && vpna.srcport.allSatisfy { $0 >= 49_152 })
                #expect(vpna.udpChecksum == "auto")
            }
        }
    }
}
