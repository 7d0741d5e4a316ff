import Control
import Foundation
import Programs
import Testing

@testable import ControlAPI

/// The program as scripts see it: exit status, standard output, standard error.
///
/// The binary is the one that the package's build puts beside the tests.
@Suite(.timeLimit(.minutes(2)), .enabled(if: Program.isBuilt, "the vxgate program is not built"))
struct CommandLineTests {
    @Test(arguments: [
        ("vsi", "NAME  VNI  FDB"), ("vni", "VNI  VSI"), ("peer", "NAME  ADDRESS"),
        ("port", "NAME  TYPE  DEVICE"), ("fdb", "VSI   VNI  MAC"), ("arp", "VRF      INTERFACE"),
        ("route", "VRF      PREFIX"), ("policy", "ORDER  NAME"), ("counters", "STAGE  PACKETS"),
        ("drops", "PACKETS  REASON"), ("runtime", "WORKER  CPU"), ("events", "COUNT  EVENT"),
        ("version", "vxgate 1.0.0, gw1"),
    ])
    func showsTextAndTheJSONOfTheAPI(thing: String, heading: String) async throws {
        try await withServer { path in
            let text = try Program.run(["show", thing, "--socket", path])
            #expect(text.status == 0 && text.errors == "")
            #expect(text.output.hasPrefix(heading))
            let json = try Program.run(["show", thing, "--json", "--socket", path])
            let answer = try ControlClient(path: path).request("GET", "/v1/\(thing)")
            #expect(json.output == String(decoding: answer, as: UTF8.self))
        }
    }

    @Test func dropsThatNeverOccurredAreHiddenInText() async throws {
        try await withServer { path in
            let text = try Program.run(["show", "drops", "--socket", path]).output
            #expect(text.contains("vxlan_unknown_vni") && !text.contains("kernel_socket_overflow"))
            for words in [["--all"], ["kernel_socket_overflow"]] {
                let text = try Program.run(["show", "drops", "--socket", path] + words).output
                #expect(text.contains("kernel_socket_overflow"))
            }
        }
    }

    @Test(arguments: [
        ["show", "vsi", "nowhere"], ["show", "vni", "nowhere"], ["show", "vni", "77"],
        ["show", "port", "nowhere"], ["show", "peer", "nowhere"], ["show", "drops", "nothing"],
        ["show", "vsi", "--vsi", "nowhere"], ["show", "vni", "--vsi", "nowhere"],
        ["show", "port", "--port", "nowhere"], ["show", "peer", "--peer", "nowhere"],
        ["show", "events", "nothing"], ["show", "fdb", "--vsi", "nowhere"],
        ["show", "fdb", "--vsi", "nowhere", "--json"],
        ["fdb", "delete", "--vsi", "vpna", "--mac", "00:00:00:00:00:00"],
        ["fdb", "add", "--vsi", "full", "--mac", "02:00:00:00:00:01", "--port", "vm1"],
    ])
    func whatFailsIsOneLineAndStatus1(words: [String]) async throws {
        try await withServer { path in
            let result = try Program.run(words + ["--socket", path])
            #expect(result.status == 1 && result.output == "")
            #expect(result.errors.hasPrefix("vxgate: \(words[0]) \(words[1]): "))
            #expect(result.errors.filter { $0 == "\n" }.count == 1)
        }
    }

    @Test(arguments: [
        ["bogus"], ["show", "bogus"], ["show", "p"], ["show", "fdb", "--mac", "zz"],
        ["show", "fdb", "--bogus"], ["show", "arp", "--address", "10.1.1"],
        ["fdb", "add", "--vsi", "a", "--mac", "02:00:00:00:00:01"],
        ["fdb", "add", "--vsi", "a", "--mac", "02:00:00:00:00:01", "--port", "a", "--peer", "b"],
        ["run"], ["run", "--config", "/nonexistent", "--log-level", "loud"],
        ["run", "--config", "/nonexistent"], ["config", "check", "/nonexistent"],
        ["config", "apply", "/nonexistent"], ["config", "plan", "/nonexistent"],
    ])
    func wrongUsageIsOneLineAndStatus2(words: [String]) throws {
        let result = try Program.run(words)
        #expect(result.status == 2 && result.output == "")
        #expect(result.errors.hasPrefix("vxgate: ") && result.errors.hasSuffix("\n"))
        #expect(result.errors.filter { $0 == "\n" }.count == 1, "\(result.errors)")
    }

    @Test func helpAndVersionAreNoErrors() throws {
        for words in [["--help"], ["--version"], ["show", "fdb", "--help"], ["help", "run"]] {
            let result = try Program.run(words)
            #expect(result.status == 0 && result.errors == "" && result.output != "")
        }
        #expect(try Program.run(["--version"]).output == "vxgate \(Release.version)\n")
    }

    @Test func namesMayBeShortened() async throws {
        try await withServer { path in
            let result = try Program.run(["sh", "pe", "gw2", "--socket", path])
            #expect(result.status == 0 && result.output.contains("10.33.30.151"))
        }
    }

    @Test func changesReachTheGateway() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            func run(_ words: String) throws -> Program.Result {
                try Program.run(words.split(separator: " ").map(String.init), socket: path)
            }
            #expect(
                try run("clear fdb --vsi vpna --port vm1 --static").output == "removed 4 entries\n")
            #expect(try run("clear fdb --json").output == "{\"added\":0,\"removed\":4}\n")
            #expect(try run("clear arp --interface vsi10").output == "removed 5 entries\n")
            #expect(try run("clear counters").output == "")
            _ = try run("fdb add --vsi vpna --mac 2:0:0:0:0:9 --port vm1")
            _ = try run("fdb delete --vsi vpna --mac 02:00:00:00:00:09")
            _ = try run("arp add --interface vsi10 --address 10.1.1.12 --mac 02:00:00:00:00:09")
            _ = try run("arp delete --interface vsi10 --address 10.1.1.12")
        }
        #expect(
            plane.made == [
                "clearFDB vsi=vpna port=vm1 static=true", "clearFDB  static=false",
                "clearARP interface=vsi10", "clearCounters",
                "addFDB vpna 02:00:00:00:00:09 port(\"vm1\")", "deleteFDB vpna 02:00:00:00:00:09",
                "addARP vsi10 10.1.1.12 02:00:00:00:00:09", "deleteARP vsi10 10.1.1.12",
            ])
    }

    @Test func configurations() async throws {
        let directory = try TemporaryDirectory()
        func file(_ name: String, _ text: String) throws -> String {
            let path = "\(directory.path)/\(name)"
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            return path
        }
        let good = try file("good", "vtep: { address: 10.33.30.150 }\nvrfs: [red]\n")
        let bad = try file("bad", "vtep: { address: 10.33.30.150, ttl: 0 }\nvsys: []\n")
        let wrong = try file("wrong", "wrong")
        let stopping = try file("stopping", "stopping")
        try await withServer { path in
            func run(_ words: String...) throws -> Program.Result {
                try Program.run(["config"] + words, socket: path)
            }
            #expect(try run("check", good) == Program.Result(status: 0, output: "", errors: ""))
            let check = try run("check", bad)
            #expect(check.status == 2 && check.output == "")
            #expect(check.errors.contains("vxgate: \(bad):1:37: error: vtep.ttl: "))
            #expect(check.errors.contains("vxgate: \(bad):2:1: error: vsys: "))
            #expect(try run("plan", good, "--against", good).output == "no changes\n")
            let plan = try run("plan", good)
            #expect(plan.status == 0 && plan.output.contains("red"))
            #expect(try run("plan", bad).status == 2)
            let apply = try run("apply", good)
            #expect(apply.status == 0 && apply.output == "VSI vpna: ageing 300 s -> 60 s\n")
            let refused = try run("apply", wrong)
            #expect(refused.status == 2 && refused.output == "")
            #expect(
                refused.errors == """
                    vxgate: \(wrong):1:1: vtep: missing
                    vxgate: \(wrong):1:2: x: y
                    vxgate: config apply: the configuration has 2 errors and was not applied: \
                    correct the file

                    """)
            #expect(try run("apply", stopping).status == 1)
            #expect(try run("show").output == "vtep: { address: 10.33.30.150 } # ü\n")
        }
    }

    @Test func noDaemon() throws {
        let result = try Program.run(["show", "vsi"], socket: "/nonexistent/c")
        #expect(
            result
                == Program.Result(
                    status: 1, output: "",
                    errors: "vxgate: control: cannot connect to /nonexistent/c: is vxgate running? "
                        + "start it with vxgate run --config FILE\n"))
    }

    @Test func aClosedPipeIsQuiet() async throws {
        let rows = (0..<5000).map {
            FDBReport(vsi: "v\($0)", vni: 1, mac: "02:00:00:00:00:01", kind: .dynamic, port: "p")
        }
        try await withServer(plane: FakePlane(fdbRows: rows)) { path in
            let line = "\(Program.path) show fdb --socket \(path) | head -n 1"
            let result = try Program.run(["-c", line], program: "/bin/bash")
            #expect(result.errors == "" && result.output.hasPrefix("VSI"))
        }
    }
}

/// Runs the built program.
enum Program {
    struct Result: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    static let path: String = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("vxgate").path
    }()

    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    static func run(
        _ words: [String], socket: String? = nil, program: String = Program.path
    ) throws -> Result {
        let ended = try Command.run(
            [program] + words, environment: ["VXGATE_SOCKET": socket ?? "/nonexistent/socket"])
        return Result(status: ended.status, output: ended.output, errors: ended.errors)
    }
}
