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

        /// The two directions have the same addresses and ports, the other way round, and the
        /// second begins while the first is at full speed: for a kernel that sees both as one flow,
        /// that is the moment to change its queue.
        @Test("Two hundred flows each way keep their order", arguments: Setting.all)
        func order(setting: Setting) throws {
            let workers = "system.workers=\(setting.workers)"
            try TestLab.with(setting.network, settings: [workers]) { lab in
                let paced = try [
                    lab.generate(1, 2, port: 5000, "--rate 20kpps --duration 700ms --learn"),
                    lab.generate(2, 1, port: 5000, "--rate 20kpps --duration 700ms --learn"),
                ].map(lab.generated)
                for totals in paced {
                    #expect(totals.reordered == 0 && totals.duplicated == 0, "paced: \(totals)")
                    #expect(totals.received.packets > totals.sent.packets / 2, "\(totals)")
                }
                let forth = try lab.generate(1, 2, port: 6000, "--rate max --duration 1200ms")
                usleep(400_000)
                let back = try lab.generate(2, 1, port: 6000, "--rate max --duration 800ms")
                let totals = try [forth, back].map(lab.generated)
                let seen = totals.map { "\($0.received.packets) of \($0.sent.packets)" }
                print("\(setting.testDescription): \(seen.joined(separator: ", ")) at full speed")
                for totals in totals {
                    #expect(totals.reordered == 0, "\(totals)")
                    #expect(totals.duplicated == 0 && totals.corrupted == 0, "\(totals)")
                    #expect(totals.received.packets > 1000, "\(totals)")
                }
            }
        }
    }
}

/// The totals of one run of the generator, as far as they are looked at here.
private struct Generated: Decodable {
    struct Count: Decodable { var packets: Int }
    var sent: Count
    var received: Count
    var lost: Int
    var reordered: Int
    var duplicated: Int
    var corrupted: Int
}

extension TestLab {
    /// Starts the generator at the port of gateway `near` towards that of `far`.
    fileprivate func generate(
        _ near: Int, _ far: Int, port: Int, _ words: String
    ) throws -> RunningCommand {
        let hosts = [1: "10.8.0.0/24", 2: "10.9.0.1/32"]
        let program = """
            \(Requirements.generator) run --device gen\(near) --receive gen\(far) --flows 200 \
            --size 64 --addresses sequential --source \(hosts[near]!) --destination \(hosts[far]!) \
            --source-mac 02:00:00:00:00:0\(near) --destination-mac 02:00:00:00:00:0\(far) \
            --udp-source \(port) --udp-destination \(port) --json \(words)
            """
        return try RunningCommand(
            inside("gen", program.split(separator: " ").map(String.init)))
    }

    fileprivate func generated(_ run: RunningCommand) throws -> Generated {
        let ended = try Command(end: run)
        guard ended.status == 0, let last = ended.output.split(separator: "\n").last else {
            throw LabTrouble("vxgen: \(ended.errors)")
        }
        return try Shown.decode(String(last))
    }
}
