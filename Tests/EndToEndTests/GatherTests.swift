import Foundation
import Programs
import Testing

extension EndToEnd {
    /// Packets that come quickly are taken together (`system.gather`).
    @Suite(
        "Gathering",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: Requirements.generator),
            "there is no vxgen beside vxgate: swift build -c release"))
    struct GatherTests {
        /// Three at once every 150 us: a window of 800 us holds sixteen. A busy machine brings more
        /// together by itself, and keeps others apart.
        @Test("A kernel peer's datagrams are taken by the handful, and none is lost")
        func handfuls() throws {
            let apart = try packetsTogether(gather: "0")
            let gathered = try packetsTogether(gather: "1ms")
            #expect(gathered >= 1.5 * apart, "\(gathered) at a time, and \(apart) without")
        }

        /// Packets of a vector, where a kernel peer sends one after the other.
        private func packetsTogether(gather: String) throws -> Double {
            var together = 0.0
            let settings = ["system.workers=1", "system.gather=\(gather)"]
            try TestLab.with(Network.all[2], settings: settings) { lab in
                // Learned on both sides first, or the first packets are copied to everybody.
                _ = try send(lab, packets: 100, from: ("gen1", 1), to: ("gen2", 2))
                let before = try received(lab)
                let report = try send(lab, packets: 40_000, from: ("gen2", 2), to: ("gen1", 1))
                let after = try received(lab)
                #expect(report.lost == 0 && report.received.packets == 40_000)
                let packets = after.packets - before.packets
                #expect(packets >= 40_000)
                together = Double(packets) / Double(after.vectors - before.vectors)
            }
            return together
        }

        private struct Report: Decodable {
            struct Received: Decodable { var packets: UInt64 }
            var received: Received
            var lost: UInt64
        }

        private func send(
            _ lab: TestLab, packets: Int, from: (device: String, host: Int),
            to: (device: String, host: Int)
        ) throws -> Report {
            let words = """
                \(Requirements.generator) run --device \(from.device) --receive \(to.device) \
                --source-mac 02:56:58:00:00:0\(from.host) --size 64 --burst 3 --rate 20kpps \
                --destination-mac 02:56:58:00:00:0\(to.host) --duration \(packets / 20)ms --json
                """
            let done = try lab.run("gen", words)
            try #require(done.status == 0, "\(done.errors)")
            return try Shown.decode(String(try #require(done.output.split(separator: "\n").last)))
        }

        private func received(_ lab: TestLab) throws -> Shown.Stage {
            let counters: Shown.Counters = try lab.show("gw1", "counters")
            return try #require(counters.stages.first { $0.stage == "receive" })
        }
    }
}
