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
                for rate in [20_000, 20_000, 20_000, 0, 0, 0] {
                    try lab.run("gen", "sysctl -qw net.ipv4.conf.all.arp_ignore=8")
                    try lab.vxgate("gw1", ["clear", "arp"])
                    let receiver = try RunningCommand(
                        lab.inside("gen", ["python3", "-c", Self.receiver]))
                    usleep(200_000)
                    let sender = try RunningCommand(
                        lab.inside("red1", ["python3", "-c", Self.sender, "10.9.0.2", "\(rate)"]))
                    usleep(250_000 + UInt32.random(in: 0..<100_000))
                    try lab.run("gen", "sysctl -qw net.ipv4.conf.all.arp_ignore=0")
                    let sent = try Command(end: sender)
                    let ended = try Command(end: receiver)
                    try #require(sent.status == 0 && ended.status == 0, "\(ended.errors)")
                    let numbers = ended.output.split(whereSeparator: \.isWhitespace).map { Int($0) }
                    print(network.testDescription, workers, rate, ended.output)
                    let words = try #require(numbers as? [Int])
                    try #require(words.count == 3)
                    #expect(words[0] > 1000, "the host has answered")
                    #expect(words[1] > 0, "packets have waited")
                    #expect(words[2] == 0, "overtaken")
                }
            }
        }

        /// Has gateway 1 route between `red1` and the generator's port, to which it gives an
        /// address.
        private func route(_ lab: TestLab) throws {
            let file = lab.file("gw1", "yaml")
            let addition = """
                vsi-interfaces:
                  - { name: red, vsi: red, address: 10.1.0.254/24 }
                  - { name: measure, vsi: measure, address: 10.9.0.254/24 }
                timers: { arp-retry: 100ms, arp-attempts: 30 }

                """
            let text = try String(contentsOfFile: file, encoding: .utf8) + addition
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try lab.vxgate("gw1", ["config", "apply", file])
            try #require(applied.status == 0, "\(applied.errors)")
            for (role, words) in [
                ("gen", "ip address add 10.9.0.2/24 dev gen1"),
                ("gen", "ip link set gen1 arp on"),
                ("red1", "ip route add 10.9.0.0/24 via 10.1.0.254"),
            ] {
                let done = try lab.run(role, words)
                try #require(done.status == 0, "\(words): \(done.errors)")
            }
        }

        /// Numbers for 0.9 s, at a rate or as fast as it can.
        private static let sender = """
            import socket, struct, sys, time
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            link.connect((sys.argv[1], 7))
            rate, number, start = int(sys.argv[2]), 0, time.monotonic()
            while (passed := time.monotonic() - start) < 0.9:
                if rate and number > passed * rate:
                    time.sleep(0.0002)
                    continue
                link.send(struct.pack("Q", number))
                number += 1
            """

        /// Says how many numbers came, which was the first, and how many were behind a later one.
        private static let receiver = """
            import socket, struct
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            SO_RCVBUFFORCE = 33
            link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            link.bind(("", 7))
            link.settimeout(4)
            first, newest, count, behind = None, -1, 0, 0
            try:
                while True:
                    number = struct.unpack("Q", link.recv(8))[0]
                    link.settimeout(1)
                    first = number if first is None else first
                    count += 1
                    behind += number < newest
                    newest = max(newest, number)
            except TimeoutError:
                print(count, first or 0, behind)
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
