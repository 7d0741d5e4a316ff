import Foundation
import Programs
import Testing

extension EndToEnd {
    /// A gateway on one core, offered twice what it can take. The limits are wide, because other
    /// people's work on the machine is in every figure; `tools/bench --only E8` measures.
    @Suite(
        "Overload",
        .enabled(
            if: ProcessInfo.processInfo.activeProcessorCount > 1,
            "the generator needs a core of its own"))
    struct OverloadTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let access: String
            let underlay: String
            /// `out` or `in`: into a tunnel or out of it.
            let way: String

            var testDescription: String { "\(access), underlay \(underlay), \(way)" }
        }

        private struct Figures: Decodable {
            let peak: Double
            /// Percent of the goodput at the load that is left at twice of it, in the best turn.
            let best: Double
            let max: Double
            let answers: Int
            let kernelThreads: [String]
        }

        @Test(
            "Goodput stays, operators are answered, and the gateway's own address too",
            arguments: [
                Case(access: "tap", underlay: "udp", way: "out"),
                Case(access: "veth", underlay: "udp", way: "in"),
                Case(access: "tap", underlay: "tap", way: "in"),
                Case(access: "veth", underlay: "tap", way: "out"),
            ])
        func overload(_ one: Case) throws {
            let network = Network(
                topology: "kernel-peer", access: one.access, underlay: one.underlay)
            let last = ProcessInfo.processInfo.activeProcessorCount - 1
            try TestLab.with(network, settings: ["system.workers=1"], cpu: last) { lab in
                try addInterface(lab)
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
                // The host asks for the gateway's MAC address anew each time, and sends large
                // packets in fragments. The far host's address stays known: a request for it that
                // is lost with other people's frames is repeated after a second only.
                let words = """
                    lost=0
                    while [ ! -e \(lab.directory)/over ]; do
                        ip neigh del 10.1.0.254 dev red1
                        ping -n -q -c 2 -i 0.02 -W 2 10.1.0.254 >&2 || lost=$((lost + 1))
                        ping -n -q -c 1 -W 2 -s 6000 10.1.0.2 >&2
                        sleep 0.05
                    done
                    echo lost $lost
                    """
                let host = try RunningCommand(lab.inside("red1", ["sh", "-c", words]))
                defer { host.signal(SIGTERM) }
                let figures = try measure(lab, one.way)
                try Data().write(to: URL(fileURLWithPath: "\(lab.directory)/over"))
                _ = host.wait(seconds: 10)
                print("\(one.testDescription): \(figures)")
                #expect(figures.best > 70)
                #expect(figures.max < 500)
                #expect(figures.answers > 10)
                #expect(figures.kernelThreads == [])
                #expect(host.output.contains("lost 0"), "\(host.output)")
                // What was too much is forgotten at once.
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
            }
        }

        private func addInterface(_ lab: TestLab) throws {
            let file = lab.file("gw1", "yaml")
            let interface = """
                vsi-interfaces: [ { name: red, vsi: red, address: 10.1.0.254/24 } ]

                """
            let text = try String(contentsOfFile: file, encoding: .utf8) + interface
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let applied = try lab.vxgate("gw1", ["config", "apply", file])
            try #require(applied.status == 0, "\(applied.errors)")
        }

        private func measure(_ lab: TestLab, _ way: String) throws -> Figures {
            let program = "\(Requirements.root)/tools/benchlib/overload.py"
            let done = try Command.run(
                ["python3", program, lab.name, Requirements.generator, way, "0.3"], seconds: 60)
            try #require(done.status == 0, "\(done.errors)")
            return try Shown.decode(done.output)
        }
    }
}
