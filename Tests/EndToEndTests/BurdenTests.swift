import Foundation
import Programs
import Testing

extension EndToEnd {
    /// What the daemon costs when nothing happens, and that changes cost no packet.
    @Suite("Burden")
    struct BurdenTests {
        @Test("The same file applied 100 times under a flood of pings loses none")
        func reapply() throws {
            try TestLab.with(.taps) { lab in
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                let words = "ping -n -q -i 0.001 -w 60 -W 1 10.1.0.2"
                let flood = try RunningCommand(
                    lab.inside("red1", words.split(separator: " ").map(String.init)))
                // For at least two seconds, so that there are enough pings however quick it is.
                let start = ContinuousClock.now
                var round = 0
                while round < 100 || start.duration(to: .now) < .seconds(2) {
                    round += 1
                    let applied = try lab.vxgate(
                        "gw1", ["config", "apply", lab.file("gw1", "yaml")])
                    try #require(applied.status == 0, "round \(round): \(applied.errors)")
                }
                flood.signal(SIGINT)
                _ = flood.wait(seconds: 5)
                let counted = try #require(
                    flood.output.firstMatch(of: /(\d+) packets transmitted, (\d+) received/))
                let sent = try #require(Int(counted.1))
                let received = try #require(Int(counted.2))
                #expect(sent > 500)
                // The last request may be under way when ping is stopped.
                #expect(received >= sent - 1, "\(flood.output)")
            }
        }

        @Test(
            "Idle, it takes less than 1 % of a core and less than 200 MB",
            arguments: [
                Network.all[0], Network.all[1],
            ])
        func idle(network: Network) throws {
            try TestLab.with(network) { lab in
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                usleep(1_000_000)
                for gateway in network.gateways {
                    let pid = try lab.processIdentifier(gateway)
                    let before = try cpuSeconds(pid)
                    usleep(5_000_000)
                    let share = (try cpuSeconds(pid) - before) / 5
                    let megabytes = try residentMegabytes(pid)
                    print(
                        "\(gateway), \(network.testDescription): idle \(share * 100) % of a core, "
                            + "\(megabytes) MB")
                    #expect(share < 0.01)
                    #expect(megabytes < 200)
                }
            }
        }

        @Test("A list of 10,000 addresses takes less than 40 ms of CPU")
        func longList() throws {
            try TestLab.with(.taps) { lab in
                let file = lab.file("gw1", "yaml")
                let entries = (0..<10_000).map { number in
                    let ends = [number / 100, number % 100].map { $0 < 10 ? "0\($0)" : "\($0)" }
                    let mac = "02:77:00:00:\(ends.joined(separator: ":"))"
                    return "  - { vsi: red, mac: '\(mac)', peer: gw2 }\n"
                }
                let text =
                    try String(contentsOfFile: file, encoding: .utf8) + "static-fdb:\n"
                    + entries.joined()
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                let applied = try lab.vxgate("gw1", ["config", "apply", file])
                try #require(applied.status == 0, "\(applied.errors)")
                let pid = try lab.processIdentifier("gw1")
                let before = try cpuSeconds(pid)
                for _ in 0..<20 {
                    let rows: [Shown.Entry] = try lab.show("gw1", "fdb")
                    try #require(rows.filter { $0.kind == "static" }.count == 10_000)
                }
                let milliseconds = (try cpuSeconds(pid) - before) / 20 * 1000
                print("a list of 10,000 addresses: \(milliseconds) ms of CPU")
                #expect(milliseconds < 40)
            }
        }

        /// Time on any CPU since the process began, user and system.
        private func cpuSeconds(_ pid: Int32) throws -> Double {
            let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
            let ticks = try #require(Double(fields[11])) + #require(Double(fields[12]))
            return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        }

        private func residentMegabytes(_ pid: Int32) throws -> Double {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/))
            return try #require(Double(line.1)) / 1024
        }
    }
}
