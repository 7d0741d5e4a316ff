import Foundation
import Programs
import Testing

extension EndToEnd {
    /// ARP beyond what any machine needs: one port's flood is no other port's trouble, and a host
    /// that is absent costs a question a second.
    @Suite("ARP flood")
    struct ARPFloodTests {
        private struct Flood: Decodable {
            var sent: Int
            var refused: Int
            var pps: Double
        }

        private struct Answers: Decodable {
            var asked: Int
            var unanswered: Int
            var medianMs: Double?
            var maxMs: Double?
        }

        private struct Watch: Decodable {
            struct Question: Decodable {
                var at: Double
                var sender: String
            }

            var questions: [Question]
        }

        private static let seconds = 5
        private static let rate = 130_000

        private func start(
            _ lab: TestLab, _ role: String, _ verb: String, _ device: String, _ words: String
        ) throws -> RunningCommand {
            let program = "\(Requirements.root)/tools/lab/arptraffic.py"
            return try RunningCommand(
                lab.inside(
                    role,
                    ["python3", program, verb, device]
                        + words.split(separator: " ").map(String.init)))
        }

        private func result<Report: Decodable>(
            _ running: RunningCommand, seconds: Double = 20, as: Report.Type = Report.self
        ) throws -> Report {
            let status = running.wait(seconds: seconds)
            try #require(status == 0, "\(running.errors)")
            let last = try #require(running.output.split(separator: "\n").last)
            return try Shown.decode(String(last))
        }

        /// One request each 5 ms; gives what was sent and what came back.
        private func pings(
            _ lab: TestLab, from role: String, to address: String
        ) throws -> RunningCommand {
            let count = (Self.seconds - 1) * 200
            return try RunningCommand(
                lab.inside(
                    role,
                    ["ping", "-n", "-q", "-i", "0.005", "-c", "\(count)", "-W", "2", address]))
        }

        private func loss(_ ping: RunningCommand) throws -> (sent: Int, received: Int) {
            _ = ping.wait(seconds: 20)
            let counted = try #require(
                ping.output.firstMatch(of: /(\d+) packets transmitted, (\d+) received/),
                "\(ping.output) \(ping.errors)")
            return (try #require(Int(counted.1)), try #require(Int(counted.2)))
        }

        @Test(
            "A flood on one port stops neither routing nor ARP answers on another",
            arguments: Network.distributed)
        func routed(network: Network) throws {
            try TestLab.with(network) { lab in
                for address in ["20.1.1.12", "10.1.1.12"] {
                    try #expect(lab.ping("vm2", address) == 3, "\(address)")
                }
                let flood = try start(
                    lab, "vm1", "flood", "eth0",
                    "--subnet 10.1.1 --rate \(Self.rate) --seconds \(Self.seconds)")
                usleep(300_000)
                let same = try pings(lab, from: "vm2", to: "20.1.1.12")
                let other = try pings(lab, from: "vm2", to: "10.1.1.12")
                let asking = try start(
                    lab, "vm2", "ask", "eth0", "--target 20.1.1.1 --seconds \(Self.seconds - 1)")
                let answers: Answers = try result(asking)
                let losses = [try loss(same), try loss(other)]
                let offered: Flood = try result(flood)
                let refused = try lab.drops("gw1", "arp_rate")
                let lost = losses.map { "\($0.sent - $0.received) of \($0.sent)" }
                print(
                    "\(network.testDescription): ARP flood of \(Int(offered.pps)) packets/s, "
                        + "\(refused) of \(offered.sent) beyond the budget, "
                        + "\(answers.asked) questions from another port, \(answers.unanswered) "
                        + "unanswered, median \(answers.medianMs ?? -1) ms, slowest "
                        + "\(answers.maxMs ?? -1) ms, pings lost \(lost)")
                #expect(offered.pps >= 100_000)
                #expect(answers.asked >= 40)
                #expect(answers.unanswered == 0)
                #expect(try #require(answers.maxMs) < 100)
                #expect(losses.allSatisfy { $0.sent > 0 && $0.received == $0.sent })
                #expect(refused > 0)
            }
        }

        @Test(
            "A flood on one port costs a bridged tenant nothing",
            arguments: [Network.all[0], Network.all[1]])
        func bridged(network: Network) throws {
            try TestLab.with(network) { lab in
                try #expect(lab.ping("blue1", "10.1.0.2") == 3)
                let flood = try start(
                    lab, "red1", "flood", "red1",
                    "--subnet 10.1.0 --rate \(Self.rate) --seconds \(Self.seconds)")
                usleep(300_000)
                let lost = try loss(try pings(lab, from: "blue1", to: "10.1.0.2"))
                let offered: Flood = try result(flood)
                print(
                    "\(network.testDescription): ARP flood of \(Int(offered.pps)) packets/s, "
                        + "bridged pings lost of sent \(lost.sent - lost.received)/\(lost.sent)")
                #expect(offered.pps >= 100_000)
                #expect(lost.sent > 0 && lost.received == lost.sent)
            }
        }

        @Test("Questions for an absent host, 20 a second, go to other sites once a second")
        func absentByARP() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                try #expect(lab.ping("vm1", "20.1.1.11") == 3)
                let other = try start(lab, "vm4", "watch", "eth0", "--target 10.1.1.78 --seconds 5")
                for _ in 0..<200 where !other.output.contains("watching") { usleep(10_000) }
                let asking = try start(
                    lab, "vm1", "ask", "eth0", "--target 10.1.1.78 --seconds 4")
                // The proxy answers for it each time.
                let answers: Answers = try result(asking)
                #expect(answers.asked >= 40 && answers.unanswered == 0)
                let watch: Watch = try result(other)
                print("\(answers.asked) questions, passed on \(watch.questions.count) times")
                #expect((1...5).contains(watch.questions.count))
            }
        }

        @Test("Traffic to an absent host costs a question a second at most")
        func absent() throws {
            try TestLab.with(Network.distributed[1]) { lab in
                try #expect(lab.ping("vm1", "20.1.1.11") == 3)
                // 20.1.1.77 is in another VXLAN, 10.1.1.77 in the one of the machine that asks.
                let local = try start(lab, "vm2", "watch", "eth0", "--target 20.1.1.77 --seconds 7")
                let remote = try start(
                    lab, "vm5", "watch", "eth0", "--target 20.1.1.77 --seconds 7")
                let own = try start(lab, "vm4", "watch", "eth0", "--target 10.1.1.77 --seconds 7")
                for running in [local, remote, own] {
                    for _ in 0..<200 where !running.output.contains("watching") { usleep(10_000) }
                    try #require(running.output.contains("watching"), "\(running.errors)")
                }
                let traffic = try ["20.1.1.77", "10.1.1.77"].map { address in
                    try RunningCommand(
                        lab.inside(
                            "vm1", ["ping", "-n", "-q", "-i", "0.002", "-w", "6", address]))
                }
                for (name, running) in [("local", local), ("remote", remote), ("own", own)] {
                    let watch: Watch = try result(running)
                    let asked = watch.questions.map { "\(Int($0.at * 1000)) ms by \($0.sender)" }
                    print("absent host, \(name): asked at \(asked.joined(separator: ", "))")
                    #expect(watch.questions.count >= 3, "\(name)")
                    #expect(watch.questions.count <= 7, "\(name)")
                    for (_, questions) in Dictionary(grouping: watch.questions, by: \.sender) {
                        let gaps = zip(questions, questions.dropFirst()).map { $1.at - $0.at }
                        #expect(gaps.allSatisfy { $0 > 0.95 }, "\(name): \(gaps)")
                    }
                }
                for running in traffic {
                    running.signal(SIGINT)
                    _ = running.wait(seconds: 5)
                }
            }
        }
    }
}
