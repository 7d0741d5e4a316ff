import Foundation
import Programs
import Testing

extension EndToEnd {
    /// A MAC address at two sites at once (D9).
    @Suite("Moves")
    struct MoveTests {
        private struct Row: Decodable {
            var mac: String
            var port: String?
            var peer: String?
            var moves: Int
            var frozen: Bool
        }

        private static let mac = "02:cc:00:00:00:77"

        private func send(_ lab: TestLab, _ role: String) throws {
            let program = "\(Requirements.root)/tools/lab/arptraffic.py"
            let sent = try lab.run(role, "python3 \(program) flap \(role) --mac \(Self.mac)")
            try #require(sent.status == 0, "\(sent.errors)")
        }

        private func row(_ lab: TestLab) throws -> Row? {
            let rows: [Row] = try lab.show("gw1", "fdb")
            return rows.first { $0.mac == Self.mac }
        }

        @Test(
            "Frozen after the fifth move, told, and released by clear", arguments: Network.all[..<2]
        )
        func freezes(network: Network) throws {
            try TestLab.with(network) { lab in
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                for number in 0...5 {
                    let role = number % 2 == 0 ? "red1" : "red2"
                    try send(lab, role)
                    try #expect(eventually { try row(lab)?.moves == number })
                }
                var frozen = try #require(try row(lab))
                #expect(frozen.frozen && frozen.peer == "gw2")
                for _ in 0..<3 { try send(lab, "red1") }
                try #expect(eventually { try lab.drops("gw1", "mac_frozen") == 3 })
                frozen = try #require(try row(lab))
                #expect(frozen.moves == 5 && frozen.peer == "gw2")
                let log = try String(contentsOfFile: lab.file("gw1", "log"), encoding: .utf8)
                #expect(log.contains("mac frozen") && log.contains("mac=\(Self.mac)"), "\(log)")
                // Nobody else has to do with it.
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                let cleared = try lab.vxgate("gw1", ["clear", "fdb", "--mac", Self.mac])
                #expect(cleared.status == 0, "\(cleared.errors)")
                try send(lab, "red1")
                try #expect(eventually { try row(lab)?.port == "red1" })
                try #expect(row(lab)?.frozen == false)
            }
        }
    }
}
