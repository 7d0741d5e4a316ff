import Control
import Glibc
import Logging
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct LogTests {
    private func lines(
        _ style: OperatorLog.Style, _ body: (inout Logger) -> Void
    ) -> [String] {
        let sink = LineSink()
        var log = Logger(label: "test") { _ in
            OperatorLog(level: .debug, style: style) { sink.add($0) }
        }
        body(&log)
        return sink.lines
    }

    @Test func levelMessageKeyValue() {
        let lines = lines(.plain) { log in
            log.trace("below the level")
            log.debug("d")
            log.info("port is up", metadata: ["port": "vm1", "device": "tap 1", "b": ""])
            log[metadataKey: "vsi"] = "vpna"
            log.warning("two\nlines", metadata: ["text": "say \"no\"\n\\", "vsi": "other"])
            log.error("e")
            log.critical("c")
        }
        #expect(
            lines == [
                "debug d\n", "info port is up b=\"\" device=\"tap 1\" port=vm1\n",
                "warning two lines text=\"say \\\"no\\\" \\\\\" vsi=other\n", "error e vsi=vpna\n",
                "critical c vsi=vpna\n",
            ])
    }

    @Test func journalPriorities() {
        let lines = lines(.journal) { log in
            for level in Logger.Level.allCases { log.log(level: level, "x") }
        }
        #expect(
            lines == [
                "<7>debug x\n", "<6>info x\n", "<5>notice x\n", "<4>warning x\n", "<3>error x\n",
                "<2>critical x\n",
            ])
    }

    @Test func timestamps() throws {
        let lines = lines(.timestamps) { $0.info("x") }
        let form = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info x\n/
        #expect(lines.count == 1 && lines[0].wholeMatch(of: form) != nil, "\(lines)")
    }
}

private final class LineSink: Sendable {
    private let storage = Mutex<[String]>([])
    var lines: [String] { storage.withLock { $0 } }
    func add(_ line: String) { storage.withLock { $0.append(line) } }
}

@Suite struct NotifierTests {
    /// A supervisor's socket, by path or abstract.
    private func listener(_ name: String) throws -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        let address = try #require(SocketAddress(path: name))
        #expect(unsafe address.withPointer { unsafe bind(descriptor, $0, $1) } == 0)
        return descriptor
    }

    private func receive(_ descriptor: Int32) -> String? {
        var part = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &part, part.count, 0)
        return count < 0 ? nil : String(decoding: part[..<count], as: UTF8.self)
    }

    @Test(arguments: [true, false]) func messages(isAbstract: Bool) throws {
        let directory = try TemporaryDirectory()
        let name = isAbstract ? "@vxgate-test-\(getpid())" : "\(directory.path)/notify"
        let supervisor = try listener(name)
        defer { close(supervisor) }
        let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": name])
        notifier.ready("forwarding")
        #expect(receive(supervisor) == "READY=1\nSTATUS=forwarding")
        notifier.reloading()
        let text = receive(supervisor) ?? ""
        let form = /RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=.+/
        let match = try #require(text.wholeMatch(of: form))
        #expect(Int64(match.1) ?? 0 > 1_000_000)
        notifier.watchdog()
        #expect(receive(supervisor) == "WATCHDOG=1")
        notifier.status("s")
        #expect(receive(supervisor) == "STATUS=s")
        notifier.stopping()
        #expect(receive(supervisor) == "STOPPING=1\nSTATUS=stopping")
        #expect(receive(supervisor) == nil)
    }

    @Test func watchdogOnlyWhenAskedFor() {
        func interval(_ more: [String: String], socket: String? = "@x") -> Duration? {
            var environment = more
            environment["NOTIFY_SOCKET"] = socket
            return ServiceNotifier(environment: environment).watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "10000000"]) == .seconds(5))
        #expect(interval(["WATCHDOG_USEC": "10", "WATCHDOG_PID": "\(getpid())"]) != nil)
        #expect(interval(["WATCHDOG_USEC": "10", "WATCHDOG_PID": "1"]) == nil)
        #expect(interval([:]) == nil)
        #expect(interval(["WATCHDOG_USEC": "x"]) == nil)
        #expect(interval(["WATCHDOG_USEC": "10"], socket: nil) == nil)
    }

    @Test func withoutASupervisorNothingHappens() {
        ServiceNotifier(environment: [:]).ready("x")
        ServiceNotifier(environment: ["NOTIFY_SOCKET": "/nonexistent/socket"]).ready("x")
    }
}
