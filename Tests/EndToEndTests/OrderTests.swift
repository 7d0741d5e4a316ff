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

        /// The host is silent at first: its packets wait with the agent, and go on in the moment in
        /// which it answers, together with those that come then.
        @Test(
            "What comes when a next hop answers stays behind what waited for it",
            arguments: [Network.all[0], Network.all[1]], [1, 2])
        func late(network: Network, workers: Int) throws {
            try TestLab.with(network, settings: ["system.workers=\(workers)"]) { lab in
                try route(lab)
                // What waits with a slow agent for long is given up, and with it the order.
                let most = Requirements.isSlow ? "20kpps" : "max"
                for rate in ["20kpps", "20kpps", "20kpps", most, most, most] {
                    try lab.vxgate("gw1", ["clear", "arp"])
                    let host = try RunningCommand(
                        lab.inside("gen", ["python3", "-c", Self.lateHost, "gen1"]))
                    let totals = try totals(stream(lab, rate))
                    host.signal(SIGTERM)
                    let seen = "\(totals.received.packets) of \(totals.sent.packets)"
                    print(network.testDescription, workers, rate, seen, totals.reordered)
                    #expect(totals.received.packets > 1000, "the host has answered")
                    #expect(totals.lost > 0, "not at once")
                    #expect(totals.reordered == 0, "\(totals)")
                    #expect(totals.duplicated == 0 && totals.corrupted == 0, "\(totals)")
                }
            }
        }

        /// Starts one flow from `red1` to the host behind the generator's port.
        private func stream(_ lab: TestLab, _ rate: String) throws -> RunningCommand {
            let program = """
                \(Requirements.generator) run --device red1 --netns vxl-\(lab.name)-red1 \
                --receive gen1 --receive-netns vxl-\(lab.name)-gen --source 10.1.0.1/32 \
                --destination 10.9.0.2/32 --destination-mac \(Self.routerMAC) --flows 1 --size 64 \
                --rate \(rate) --duration 1300ms --json
                """
            return try RunningCommand(program.split(separator: " ").map(String.init))
        }

        private static let routerMAC = "02:00:00:00:aa:01"

        /// Has gateway 1 route between `red1` and the generator's port.
        private func route(_ lab: TestLab) throws {
            let file = lab.file("gw1", "yaml")
            let addition = """
                vsi-interfaces:
                  - { name: red, vsi: red, address: 10.1.0.254/24, mac: "\(Self.routerMAC)" }
                  - { name: measure, vsi: measure, address: 10.9.0.254/24 }
                timers: { arp-retry: 100ms, arp-attempts: 30 }

                """
            let text = try String(contentsOfFile: file, encoding: .utf8) + addition
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try lab.vxgate("gw1", ["config", "apply", file])
            try #require(applied.status == 0, "\(applied.errors)")
        }

        /// Answers ARP for any address from 0.4 s after the first question on.
        private static let lateHost = """
            import socket, sys, time
            ARP, MAC, start = 0x0806, bytes([2, 0, 0, 0, 0, 9]), None
            link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
            link.bind((sys.argv[1], ARP))
            while True:
                frame = link.recv(2048)
                if frame[20:22] != bytes([0, 1]):
                    continue
                start = start or time.monotonic()
                if time.monotonic() - start > 0.4:
                    asker, target = frame[22:32], frame[38:42]
                    link.send(asker[:6] + MAC + frame[12:21] + bytes([2]) + MAC + target + asker)
            """

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
