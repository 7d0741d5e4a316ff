import Foundation
import Programs
import Testing

extension EndToEnd {
    /// No packet overtakes another of its flow, whatever the ports, the underlay and the number of
    /// workers are.
    @Suite(
        "Order",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: Requirements.generator),
            "there is no vxgen beside vxgate: swift build -c release"))
    struct OrderTests {
        struct Setting: Sendable, CustomTestStringConvertible {
            let network: Network
            let workers: Int

            static let all = ["udp", "tap"].flatMap { underlay in
                ["tap", "veth"].flatMap { access in
                    [1, 2].map { workers in
                        Setting(
                            network: Network(
                                topology: "two-gateways", access: access, underlay: underlay),
                            workers: workers)
                    }
                }
            }

            var testDescription: String { "\(network.testDescription), \(workers) workers" }
        }

        /// Flows of the two directions.
        private enum Pairing: CaseIterable {
            /// The same addresses and ports, the other way round: a kernel that takes both for one
            /// flow sees it at the ports.
            case mirrored
            /// Of their own. In tunnels they share source ports with others.
            case strangers
        }

        /// The second direction begins while the first is at full speed: for a kernel that goes by
        /// what was sent back, that is the moment to change a flow's queue.
        @Test("A thousand flows each way keep their order", arguments: Setting.all)
        func order(setting: Setting) throws {
            let workers = "system.workers=\(setting.workers)"
            try TestLab.with(setting.network, settings: [workers]) { lab in
                let paced = try [
                    generate(lab, 1, .mirrored, "--rate 20kpps --duration 500ms --learn"),
                    generate(lab, 2, .mirrored, "--rate 20kpps --duration 500ms --learn"),
                ].map(totals)
                for totals in paced {
                    #expect(totals.reordered == 0 && totals.duplicated == 0, "paced: \(totals)")
                    #expect(totals.received.packets > totals.sent.packets / 2, "\(totals)")
                }
                for pairing in Pairing.allCases {
                    let forth = try generate(lab, 1, pairing, "--rate max --duration 900ms")
                    usleep(300_000)
                    let back = try generate(lab, 2, pairing, "--rate max --duration 600ms")
                    let ended = try [forth, back].map(totals)
                    let seen = ended.map { "\($0.received.packets) of \($0.sent.packets)" }
                    print(setting.testDescription, pairing, seen.joined(separator: ", "))
                    for totals in ended {
                        #expect(totals.reordered == 0, "\(pairing): \(totals)")
                        #expect(totals.duplicated == 0 && totals.corrupted == 0, "\(totals)")
                        #expect(totals.received.packets > 1000, "\(totals)")
                    }
                }
            }
        }

        /// Starts the generator at the port of gateway `near`, towards that of the other.
        private func generate(
            _ lab: TestLab, _ near: Int, _ pairing: Pairing, _ words: String
        ) throws -> RunningCommand {
            let far = 3 - near
            let flows: String
            switch pairing {
            case .mirrored:
                let hosts = [1: "10.8.0.0/22", 2: "10.12.0.1/32"]
                flows =
                    "--addresses sequential --source \(hosts[near]!) --destination \(hosts[far]!)"
                    + " --udp-source 5000 --udp-destination 5000"
            case .strangers: flows = "--source 10.\(near).0.0/16 --destination 10.\(far + 4).0.0/16"
            }
            let program = """
                \(Requirements.generator) run --device gen\(near) --receive gen\(far) --flows 1000 \
                --size 64 --source-mac 02:00:00:00:00:0\(near) \
                --destination-mac 02:00:00:00:00:0\(far) --json \(flows) \(words)
                """
            return try RunningCommand(
                lab.inside("gen", program.split(separator: " ").map(String.init)))
        }

        private func totals(_ run: RunningCommand) throws -> Totals {
            let ended = try Command(end: run)
            guard ended.status == 0, let last = ended.output.split(separator: "\n").last else {
                throw LabTrouble("vxgen: \(ended.errors)")
            }
            return try Shown.decode(String(last))
        }

        /// The end of one run of the generator, as far as it is looked at here.
        private struct Totals: Decodable {
            struct Count: Decodable { var packets: Int }
            var sent: Count
            var received: Count
            var lost: Int
            var reordered: Int
            var duplicated: Int
            var corrupted: Int
        }
    }
}
