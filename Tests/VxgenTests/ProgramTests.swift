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
        "run --device a --tap b", "run --device a --receive b --receive-tap c",
        "run --device a --vlan 0", "run --device a --vlan 9-5", "run --device a --vlan 5",
        "run --device a --vlan 4095 --size 68", "run --device a --udp-source 70000",
        "run --vxlan 203.0.113.1 --vni 5", "run --vxlan 11.0.0.1 --vni 5",
        "run --vxlan 10.0.0.1 --vni 9-5", "run --device a --ttl 0", "run --device a --dscp 64",
        "run --device a --addresses odd", "run --device a --warm-up 0s",
    ])
    func wrongUsageIsOneLineAndStatusTwo(line: String) throws {
        let program = try GeneratorProgram(line.split(separator: " ").map { String($0) })
        #expect(program.status == 2)
        #expect(program.output.isEmpty && program.errors.count == 1)
        let error = try #require(program.errors.first)
        #expect(error.hasPrefix("vxgen: ") && error.hasSuffix("--help"), "\(error)")
        #expect(error.split(separator: ": ").count >= 4, "\(error)")
    }

    /// An address of the documentation: nothing answers there, and the route is the machine's.
    @Test func aTargetOutsideIsSentToOnlyWhenAskedTwice() throws {
        let words = [
            "run", "--vxlan", "203.0.113.1", "--vni", "5", "--vxlan-source", "203.0.113.9",
        ]
        let refused = try GeneratorProgram(words)
        #expect(refused.status == 2)
        #expect(refused.errors.first?.contains("neither a private nor a loopback") == true)
        // The source is not an address of this host, so that nothing is ever sent.
        let asked = try GeneratorProgram(words + ["--allow-any-target"])
        #expect(asked.status == 1)
        #expect(asked.errors.first?.contains("is not an address of this host") == true)
    }

    @Test(arguments: [
        ("size: 63\n", "1:1: size: give 64 to"), ("rate: 1kpps\nsizes: 64\n", "2:1: sizes: there"),
        ("streams:\n  - flows: 3\n    rate: 5pps\n", "3:5: rate: a stream has no such"),
        ("- 1\n", "1:1: give settings"), ("streams: []\n", "1:10: streams: give a list"),
        ("rate: {a: 1}\n", "1:7: rate: give a value"), ("rate: [\n", "this is not YAML"),
        ("rate: 1pps\nrate: 2pps\n", "the key rate is written twice"),
    ])
    func aBadProfileIsOneLineAndStatusTwo(text: String, error: String) throws {
        let path = try Self.profile(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let program = try GeneratorProgram(["run", "--device", "vxg-nodev", "--profile", path])
        #expect(program.status == 2 && program.output.isEmpty && program.errors.count == 1)
        #expect(program.errors.first?.hasPrefix("vxgen: profile \(path)") == true)
        #expect(program.errors.first?.contains(error) == true, "\(program.errors)")
    }

    @Test(arguments: [
        ("/dev/null/x", "Not a directory"), ("/", "Is a directory"),
        ("/vxgen-no-such-file", "No such file or directory"),
    ])
    func aProfileThatCannotBeReadIsSaid(path: String, cause: String) throws {
        let program = try GeneratorProgram(["run", "--device", "a", "--profile", path])
        #expect(program.status == 2)
        #expect(program.errors == ["vxgen: profile \(path): it cannot be read: \(cause)"])
    }

    /// Streams of a profile share the frames by their weights; what is typed wins.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func aProfileSaysWhatIsSent() throws {
        let lab = try Lab()
        let path = try Self.profile(
            """
            rate: 1kpps
            count: 400
            size: [64, 128]
            streams:
              - { name: voice, weight: 3, flows: 5, vlan: 7, size: 218 }
              - { flows: 2, source: 10.9.0.0/24 }
            """)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let program = try GeneratorProgram(
            Self.words(lab).dropLast(2) + ["--profile", path, "--json", "--rate", "2kpps"])
        #expect(program.status == 0, "\(program.errors)")
        let report = try Self.report(program)
        let streams = try #require(report["streams"] as? [[String: Any]])
        #expect(streams.map { $0["name"] as? String } == ["voice", "stream-2"])
        #expect(streams.map { $0["sent"] as? Int } == [300, 100])
        #expect(streams.map { $0["received"] as? Int } == [300, 100])
        #expect((report["sent"] as? [String: Any])?["bytes"] as? Int == 300 * 218 + 50 * 192)
        #expect((report["rate"] as? [String: Any])?["asked_pps"] as? Double == 2000)
    }

    /// A device at whose other end nobody passes frames on.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func aSilentReceiverIsOneLineAndStatusOne()
        throws
    {
        let lab = try Lab()
        try lab.connect("c0", lab.right, "d0", lab.left)
        let program = try GeneratorProgram([
            "run", "--device", "a0", "--netns", lab.left, "--receive", "d0", "--receive-netns",
            lab.left, "--duration", "200ms",
        ])
        #expect(program.status == 1 && program.errors.count == 1)
        #expect(program.errors.first?.hasPrefix("vxgen: receive: nothing of the run") == true)
        #expect(program.output.contains("lost        200 (100.0000 %)"))
    }

    private static func profile(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/vxgen-\(UUID().uuidString).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private static func report(_ program: GeneratorProgram) throws -> [String: Any] {
        let last = try #require(program.output.last)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
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
        let report = try Self.report(program)
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

    /// timeout(1) signals the program and its group: twice within a moment.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause), arguments: [0.0, 0.02])
    func anInterruptThatComesTwiceAtOnceCountsOnce(pause: Double) throws {
        let lab = try Lab()
        let program = try GeneratorProgram(
            Self.words(lab) + ["--rate", "100pps", "--duration", "20s"], interruptAfter: 1,
            again: pause)
        #expect(program.status == 0, "\(program.errors)")
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
