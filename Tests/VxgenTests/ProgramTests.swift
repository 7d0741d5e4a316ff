import Foundation
import Generator
import Testing

/// The program as a script meets it: its last line, its errors and its exit status.
@Suite(.enabled(if: GeneratorProgram.isBuilt, "vxgen is not built")) struct ProgramTests {
    @Test(arguments: [
        "run", "run --device a --vxlan 10.0.0.1 --vni 5", "run --vxlan 10.0.0.1",
        "run --device a --vni 5", "run --device a --flows 0", "run --device a --rate 5",
        "run --device a --size 63", "run --device a --duration 5", "run --device a --count 0",
        "run --device a --count 5 --duration 5s", "run --vxlan 10.0.0.1 --vni 16777216",
        "run --vxlan 10.0.0.256 --vni 5", "run --vxlan 10.0.0.1:0 --vni 5",
        "run --device a --burst 65", "run --device a --learn", "run --device a --nonsense",
        "run --device a --source 10.0.0.0/33", "run --device a --source-mac 1:2:3", "jump",
    ])
    func wrongUsageIsOneLineAndStatusTwo(line: String) throws {
        let program = try GeneratorProgram(line.split(separator: " ").map { String($0) })
        #expect(program.status == 2)
        #expect(program.output.isEmpty && program.errors.count == 1)
        let error = try #require(program.errors.first)
        #expect(error.hasPrefix("vxgen: ") && error.hasSuffix("--help"), "\(error)")
        #expect(error.split(separator: ": ").count >= 4, "\(error)")
    }

    @Test func whatCannotBeDoneIsOneLineAndStatusOne() throws {
        let program = try GeneratorProgram(["run", "--device", "vxg-nodev"])
        #expect(program.status == 1 && program.output.isEmpty)
        #expect(
            program.errors == [
                "vxgen: device vxg-nodev: network device vxg-nodev does not exist: create it or"
                    + " correct the name (`ip -brief link` lists what there is)"
            ])
    }

    @Test(arguments: [["--help"], ["run", "--help"], ["--version"]])
    func helpAndVersionAreNoErrors(arguments: [String]) throws {
        let program = try GeneratorProgram(arguments)
        #expect(program.status == 0 && program.errors.isEmpty)
        #expect(!program.output.isEmpty)
        if arguments == ["--version"] { #expect(program.output == ["vxgen \(Release.version)"]) }
    }

    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func theLastLineIsTheReport() throws {
        let lab = try Lab()
        let program = try GeneratorProgram(
            Self.words(lab) + ["--rate", "2kpps", "--duration", "1500ms", "--json", "--learn"])
        #expect(program.status == 0, "\(program.errors)")
        #expect(program.output.first?.hasPrefix(#"{"live":true,"#) == true)
        let last = try #require(program.output.last)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect((report["sent"] as? [String: Any])?["packets"] as? Int == 3000)
        #expect((report["received"] as? [String: Any])?["packets"] as? Int == 3000)
        #expect(report["lost"] as? Int == 0 && report["live"] == nil)
        #expect((report["rate"] as? [String: Any])?["asked_pps"] as? Double == 2000)
        #expect((report["latency_us"] as? [String: Any])?["p99_99"] is Double)
    }

    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func anInterruptEndsTheRunWithTotals() throws {
        let lab = try Lab()
        let program = try GeneratorProgram(
            Self.words(lab) + ["--rate", "100pps", "--duration", "20s"], interruptAfter: 1)
        #expect(program.status == 0, "\(program.errors)")
        #expect(program.output.count < 18, "a line each second, and ten lines of report")
        #expect(program.output.contains { $0.hasPrefix("sent        ") })
        #expect(program.output.contains { $0.hasPrefix("lost        0 ") })
    }

    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func aRateThatIsNotKeptIsSaidBeforeTheReport()
        throws
    {
        let lab = try Lab()
        let program = try GeneratorProgram(
            Self.words(lab) + ["--rate", "900Mpps", "--duration", "200ms", "--json"])
        #expect(program.status == 0)
        #expect(program.errors.first?.hasPrefix("vxgen: rate: achieved ") == true)
        #expect(program.errors.first?.contains(" pps of 900000000 asked, ") == true)
    }

    private static func words(_ lab: Lab) -> [String] {
        [
            "run", "--device", "a0", "--netns", lab.left, "--receive", "b0", "--receive-netns",
            lab.right, "--flows", "8",
        ]
    }
}
