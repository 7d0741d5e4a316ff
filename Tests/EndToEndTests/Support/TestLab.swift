import Foundation
import Programs
import Testing

/// What a lab consists of: who stands at the ends of the wire, and how hosts are attached.
struct Network: Sendable, CustomTestStringConvertible {
    let topology: String
    let access: String
    /// Host 2 of the point-to-point network is the Linux kernel's own vxlan device.
    var isKernelHost2 = false
    /// `udp`, `tap`, or `mixed`: the first gateway has a tap.
    var underlay = "udp"

    static let all = [
        Network(topology: "two-gateways", access: "tap"),
        Network(topology: "two-gateways", access: "veth"),
        Network(topology: "kernel-peer", access: "tap"),
        Network(topology: "kernel-peer", access: "veth"),
        Network(topology: "two-gateways", access: "tap", underlay: "tap"),
        Network(topology: "two-gateways", access: "veth", underlay: "tap"),
        Network(topology: "two-gateways", access: "tap", underlay: "mixed"),
        Network(topology: "kernel-peer", access: "tap", underlay: "tap"),
    ]
    static let taps = all[0]
    /// Wire and veths without any gateway.
    static let bare = Network(topology: "bare", access: "veth")

    static let distributed =
        ["tap", "veth"].map { Network(topology: "distributed", access: $0) } + [
            Network(topology: "distributed", access: "veth", underlay: "tap")
        ]
    static let centralized = Network(topology: "centralized", access: "veth")
    static let pointToPoint = ["tap", "veth"].flatMap { access in
        [false, true].map {
            Network(topology: "point-to-point", access: access, isKernelHost2: $0)
        }
    }

    var gateways: [String] {
        switch topology {
        case "distributed": ["gw1", "gw2", "border"]
        case "centralized": ["vtep1", "vtep2", "gateway"]
        case "point-to-point": isKernelHost2 ? ["host1"] : ["host1", "host2"]
        case "two-gateways": ["gw1", "gw2"]
        case "kernel-peer": ["gw1"]
        default: []
        }
    }

    var testDescription: String {
        "\(topology), \(access), underlay \(underlay)\(isKernelHost2 ? ", kernel as host2" : "")"
    }
}

/// The machine or the lab failed; it says nothing about vxgate.
struct LabTrouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A lab of `tools/lab` for one test, and the accounts that must balance when the test is over.
final class TestLab {
    let name: String
    let network: Network
    private static let program = "\(Requirements.root)/tools/lab/lab"

    /// Builds the network, runs the test in it, checks every gateway and takes all of it down.
    /// - Parameter cpu: the one on which its gateways run; nil for all.
    static func with(
        _ network: Network, settings: [String] = [], cpu: Int? = nil,
        _ body: (TestLab) throws -> Void
    ) throws {
        let lab = TestLab(network)
        let changes =
            settings.flatMap { ["--set", $0] } + (network.isKernelHost2 ? ["--kernel-host2"] : [])
        let pinned = cpu.map { ["taskset", "-c", "\($0)"] } ?? []
        let made = try Command.run(
            pinned + [
                program, "up", lab.name, "--topology", network.topology, "--access", network.access,
                "--underlay", network.underlay, "--binary", Requirements.binary,
            ] + changes, seconds: 40)
        guard made.status == 0 else { throw LabTrouble(made.errors) }
        defer { lab.down() }
        try body(lab)
        for gateway in network.gateways { try lab.check(gateway) }
    }

    private init(_ network: Network) {
        self.network = network
        name = "t\(getpid())-\(UInt16.random(in: 0...UInt16.max))"
    }

    /// The directory of the lab's files: configurations, logs, control sockets.
    var directory: String { "/run/vxgate-lab/\(name)" }

    func file(_ gateway: String, _ kind: String) -> String { "\(directory)/\(gateway).\(kind)" }

    // MARK: Commands

    /// The words that run a command inside the namespace of a role.
    func inside(_ role: String, _ words: [String]) -> [String] {
        ["nsenter", "--net=/run/netns/vxl-\(name)-\(role)"] + words
    }

    @discardableResult
    func run(_ role: String, _ words: String, seconds: Double = 20) throws -> Command {
        try Command.run(
            inside(role, words.split(separator: " ").map(String.init)), seconds: seconds)
    }

    /// The command line of one gateway.
    @discardableResult
    func vxgate(_ gateway: String, _ words: [String]) throws -> Command {
        let socket = "\(directory)/\(gateway)/control.sock"
        return try Command.run([Requirements.binary] + words + ["--socket", socket])
    }

    func show<Report: Decodable>(
        _ gateway: String, _ thing: String, as: Report.Type = Report.self
    ) throws -> Report {
        let shown = try vxgate(gateway, ["show", thing, "--json"])
        guard shown.status == 0 else { throw LabTrouble(shown.errors) }
        return try Shown.decode(shown.output)
    }

    /// Packets dropped for a reason.
    func drops(_ gateway: String, _ reason: String) throws -> UInt64 {
        let rows: [Shown.Drop] = try show(gateway, "drops")
        return try #require(rows.first { $0.reason == reason }, "no drop reason \(reason)").packets
    }

    /// The process of a gateway that the lab started.
    func processIdentifier(_ gateway: String) throws -> Int32 {
        struct Version: Decodable { var pid: Int32 }
        return try show(gateway, "version", as: Version.self).pid
    }

    // MARK: Checks

    /// How many of `count` pings were answered.
    func ping(
        _ role: String, _ address: String, count: Int = 3, options: String = ""
    ) throws -> Int {
        // Once something has been answered, it waits no longer than twice as long as that took.
        let interval = Requirements.isSlow ? 0.5 : 0.05
        let ping = try run(
            role,
            "ping -n -q -c \(count) -i \(interval) -W \(Requirements.patience) \(options)"
                + " \(address)", seconds: 30)
        let received = ping.output.firstMatch(of: /(\d+) received/)
        return received.flatMap { Int($0.1) } ?? 0
    }

    /// What holds for each gateway after every test: it lives, has logged no error, and its
    /// accounts balance. Packets may still move, so a difference counts only when it stays.
    private func check(_ gateway: String) throws {
        var totals: Shown.Totals?
        var sum: UInt64 = 0
        for _ in 0..<20 {
            let counters: Shown.Counters = try show(gateway, "counters")
            let drops: [Shown.Drop] = try show(gateway, "drops")
            totals = counters.totals
            sum = drops.reduce(0) { $0 + ($1.stage == "kernel" ? 0 : $1.packets) }
            if counters.totals.balance && sum == counters.totals.dropped { break }
            usleep(100_000)
        }
        let last = try #require(totals)
        #expect(last.balance, "\(gateway): the accounts do not balance: \(last)")
        #expect(sum == last.dropped, "\(gateway): reasons sum to \(sum), dropped \(last.dropped)")
        let log = try String(contentsOfFile: file(gateway, "log"), encoding: .utf8)
        let alarms = log.split(separator: "\n").filter {
            $0.hasPrefix("error") || $0.hasPrefix("critical") || $0.contains("Fatal error")
        }
        #expect(alarms.isEmpty, "\(gateway) logged errors")
    }

    private func down() {
        do {
            let done = try Command.run([Self.program, "down", name], seconds: 60)
            #expect(done.status == 0, "\(done.errors)")
            let left = try Command.run(["ip", "netns", "list"]).output
            #expect(!left.contains("vxl-\(name)-"), "a namespace was left behind")
        } catch {
            Issue.record(error)
        }
    }
}
