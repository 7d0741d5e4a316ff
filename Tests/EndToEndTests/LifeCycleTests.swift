import Foundation
import Programs
import Testing

extension EndToEnd {
    /// Start, reload and stop of one daemon, and the ways in which it must refuse to start.
    @Suite("Life cycle")
    struct LifeCycleTests {
        @Test(
            "SIGTERM and SIGINT end it with status 0 and leave no device",
            arguments: [
                SIGTERM, SIGINT,
            ])
        func stops(signal: Int32) throws {
            try TestLab.with(.bare) { lab in
                for _ in 0..<2 {  // the second start shows that nothing was left behind
                    let daemon = try lab.start(lab.configuration(ports: [lab.tap("tap9", "red1")]))
                    try #expect(lab.run("red1", "ip link show tap9").status == 0)
                    daemon.signal(signal)
                    #expect(daemon.wait(seconds: 5) == 0, "\(daemon.errors)")
                    try #expect(lab.run("red1", "ip link show tap9").status == 1)
                    #expect(!FileManager.default.fileExists(atPath: lab.socket))
                }
            }
        }

        @Test("An invalid file: every error, status 2")
        func invalidFile() throws {
            try TestLab.with(.bare) { lab in
                let text = lab.configuration(ports: []) + "nonsense: 1\nvrfs: [a, a]\n"
                let done = try lab.refuses(text)
                #expect(done.status == 2)
                #expect(done.errors.contains("nonsense") && done.errorLines.count >= 2)
                let check = try Command.run(
                    [Requirements.binary, "config", "check", lab.file("gw1", "yaml")])
                #expect(check.status == 2)
            }
        }

        @Test("A missing device: one line, status 1")
        func missingDevice() throws {
            try TestLab.with(.bare) { lab in
                let port = "{ name: p, type: packet, device: nowhere0, vsi: red }"
                expectOneLine(try lab.refuses(lab.configuration(ports: [port])), naming: "nowhere0")
            }
        }

        @Test("A missing VTEP address: one line, status 1")
        func missingAddress() throws {
            try TestLab.with(.bare) { lab in
                let text = lab.configuration(ports: []).replacing(
                    "198.51.100.1", with: "203.0.113.7")
                expectOneLine(try lab.refuses(text), naming: "203.0.113.7")
            }
        }

        @Test("A port in use: one line, status 1")
        func portInUse() throws {
            try TestLab.with(.bare) { lab in
                let first = try lab.start(lab.configuration(ports: []))
                let second = lab.configuration(ports: []).replacing(
                    lab.socket, with: "\(lab.socket)2")
                expectOneLine(try lab.refuses(second), naming: "4789")
                #expect(first.isRunning)
                first.signal(SIGTERM)
                #expect(first.wait(seconds: 5) == 0)
            }
        }

        @Test("After SIGKILL the next one starts at once, taps and port included, ten times")
        func killed() throws {
            try TestLab.with(.bare) { lab in
                let text = lab.configuration(ports: [lab.tap("tap9", "red1")])
                var daemon = try lab.start(text)
                for round in 0..<10 {
                    daemon.signal(SIGKILL)
                    // Not before the process is gone, and no moment later.
                    _ = daemon.wait(seconds: 5)
                    daemon = try lab.start(text)
                    #expect(daemon.isRunning, "round \(round)")
                }
                daemon.signal(SIGTERM)
                #expect(daemon.wait(seconds: 5) == 0, "\(daemon.errors)")
            }
        }

        @Test("A kernel device on the port: one line, status 1")
        func portOfTheKernel() throws {
            try TestLab.with(.bare) { lab in
                try lab.run(
                    "gw1", "ip link add vx0 type vxlan id 7 local 198.51.100.1 dstport 4789")
                try lab.run("gw1", "ip link set vx0 up")
                expectOneLine(try lab.refuses(lab.configuration(ports: [])), naming: "4789")
            }
        }

        @Test("No io_uring: one line that names the setting, status 1")
        func ioUringForbidden() throws {
            try TestLab.with(.bare) { lab in
                try lab.configuration(ports: []).write(
                    toFile: lab.file("gw1", "yaml"), atomically: true, encoding: .utf8)
                let words = ["python3", "-c", withoutIOUring, Requirements.binary]
                let done = try Command.run(
                    lab.inside("gw1", words + ["run", "--config", lab.file("gw1", "yaml")]))
                expectOneLine(done, naming: "kernel.io_uring_disabled")
            }
        }

        @Test("Without CAP_NET_RAW or CAP_NET_ADMIN: one line that names it, status 1")
        func capabilities() throws {
            try TestLab.with(.bare) { lab in
                let ports = [
                    "CAP_NET_RAW": "{ name: p, type: packet, device: red1-port, vsi: red }",
                    "CAP_NET_ADMIN": lab.tap("tap9", "red1"),
                ]
                for (capability, port) in ports {
                    let drop = capability.dropFirst(4).lowercased()
                    let keeper = [
                        "setpriv", "--bounding-set", "-\(drop)", "--inh-caps", "-\(drop)",
                    ]
                    let done = try lab.refuses(lab.configuration(ports: [port]), through: keeper)
                    expectOneLine(done, naming: capability)
                }
            }
        }

        @Test("SIGHUP takes the new file; an invalid one changes nothing")
        func reload() throws {
            try TestLab.with(.taps) { lab in
                let pid = try lab.processIdentifier("gw1")
                let path = lab.file("gw1", "yaml")
                let text = try String(contentsOfFile: path, encoding: .utf8)
                let names = { try lab.show("gw1", "vsi", as: [Named].self).map(\.name) }

                let more = text.replacing("vsis:\n", with: "vsis:\n  - { name: green, vni: 40 }\n")
                try more.write(toFile: path, atomically: true, encoding: .utf8)
                kill(pid, SIGHUP)
                try #expect(eventually { try names().contains("green") })

                try (text + "nonsense: 1\n").write(toFile: path, atomically: true, encoding: .utf8)
                kill(pid, SIGHUP)
                let log = { try String(contentsOfFile: lab.file("gw1", "log"), encoding: .utf8) }
                try #expect(eventually { try log().contains("nonsense") })
                try #expect(names().contains("green"))
                try #expect(lab.ping("red1", "10.1.0.2") == 3)
            }
        }

        @Test("The shipped examples are valid")
        func examples() throws {
            let folder = "\(Requirements.root)/tools/lab/examples"
            let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            let examples = (files ?? []).filter { $0.hasSuffix(".yaml") }
            #expect(examples.count >= 5)
            for example in examples {
                let check = try Command.run(
                    [Requirements.binary, "config", "check", "\(folder)/\(example)"])
                #expect(check.status == 0, "\(example): \(check.errors)")
            }
        }

        private struct Named: Decodable { var name: String }
    }
}

/// A refusal to start, told in one line of errors.
func expectOneLine(
    _ done: Command, naming word: String, at location: SourceLocation = #_sourceLocation
) {
    let lines = done.errorLines.filter { !$0.hasPrefix("info") && !$0.hasPrefix("warning") }
    #expect(done.status == 1, "\(done.errors)", sourceLocation: location)
    #expect(lines.count == 1, "\(done.errors)", sourceLocation: location)
    #expect(done.errors.contains(word), "\(done.errors)", sourceLocation: location)
}

/// Waits up to two seconds for a condition.
func eventually(_ holds: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<40 {
        if try holds() { return true }
        usleep(50_000)
    }
    return try holds()
}

extension TestLab {
    /// Where gateways started by hand listen for their operators.
    var socket: String { "\(directory)/by-hand/control.sock" }

    /// A port that is a tap inside the namespace of a role.
    func tap(_ device: String, _ role: String) -> String {
        "{ name: \(device), type: tap, device: \(device), netns: vxl-\(name)-\(role), vsi: red }"
    }

    /// A file for a gateway in the namespace gw1.
    func configuration(ports: [String]) -> String {
        """
        vtep: { address: 198.51.100.1 }
        peers: [{ name: gw2, address: 198.51.100.2 }]
        vsis: [{ name: red, vni: 10 }]
        access-ports: [\(ports.joined(separator: ", "))]
        control: { socket: \(socket) }

        """
    }

    /// Starts a gateway by hand; returns once it answers.
    func start(_ text: String) throws -> RunningCommand {
        let daemon = try launch(text, through: [])
        for _ in 0..<100 {
            if try Command.run([Requirements.binary, "show", "version", "--socket", socket])
                .status == 0
            {
                return daemon
            }
            guard daemon.isRunning else { break }
            usleep(50_000)
        }
        throw LabTrouble("vxgate did not start: \(daemon.errors)")
    }

    /// Starts a gateway that must end by itself.
    func refuses(_ text: String, through keeper: [String] = []) throws -> Command {
        let daemon = try launch(text, through: keeper)
        _ = try #require(daemon.wait(seconds: 10), "it started: \(daemon.errors)")
        return try Command(end: daemon)
    }

    private func launch(_ text: String, through keeper: [String]) throws -> RunningCommand {
        let path = file("gw1", "yaml")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return try RunningCommand(
            inside("gw1", keeper + [Requirements.binary, "run", "--config", path]))
    }
}

/// Runs a program under a system call filter that answers io_uring_setup with EPERM, as the kernel
/// does when `kernel.io_uring_disabled` is 2. The setting itself belongs to the whole machine.
private let withoutIOUring = """
    import ctypes, os, struct, sys
    SETUP, EPERM = 425, 1
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, SETUP), (0x06, 0, 0, 0x00050000 | EPERM),
            (0x06, 0, 0, 0x7fff0000)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, program) != 0:
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
    os.execv(sys.argv[1], sys.argv[1:])
    """
