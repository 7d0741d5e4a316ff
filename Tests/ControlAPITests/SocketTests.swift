import Glibc
import Logging
import Synchronization
import Testing

@testable import ControlAPI

/// The name of the control socket: who may connect, and what was there before.
@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    @Test func modesAreThoseOfTheContract() async throws {
        let directory = try TemporaryDirectory()
        #expect(unsafe chmod(directory.path, 0o777) == 0)
        let own = "\(directory.path)/run"
        let before = umask(0)
        defer { umask(before) }
        try await withServer(path: "\(own)/control.sock") { path in
            #expect(mode(of: path) == 0o660)
            #expect(mode(of: own) == 0o750)
        }
        #expect(mode(of: directory.path) == 0o777, "the directory above is not ours")
        #expect(mode(of: own) == 0o750)
        #expect(mode(of: "\(own)/control.sock") == nil, "the socket was left behind")
        #expect(unsafe rmdir(own) == 0, "something was left behind beside the socket")
    }

    @Test func aSharedDirectoryStaysAsItIs() async throws {
        let directory = try TemporaryDirectory()
        #expect(unsafe chmod(directory.path, 0o755) == 0)
        try await withServer(path: "\(directory.path)/c") { path in
            #expect(mode(of: path) == 0o660)
            #expect(mode(of: directory.path) == 0o755)
        }
    }

    @Test func aDeadDaemonsSocketIsReplaced() async throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/c"
        try leaveSocket(at: path)
        try await withServer(path: path) { path in
            _ = try ControlClient(path: path).request("GET", "/healthz")
        }
    }

    @Test func aLiveDaemonKeepsItsSocket() async throws {
        try await withServer { path in
            #expect(throws: ControlServerError.alreadyRunning(path)) {
                try ControlSocket(claiming: ControlAddress(path: path), log: silentLog())
            }
            _ = try ControlClient(path: path).request("GET", "/healthz")
        }
    }

    @Test func twoStartersAtOnce() throws {
        let directory = try TemporaryDirectory()
        let address = ControlAddress(path: "\(directory.path)/c")
        let first = try ControlSocket(claiming: address, log: silentLog())
        #expect(throws: ControlServerError.alreadyRunning(address.path)) {
            try ControlSocket(claiming: address, log: silentLog())
        }
        withExtendedLifetime(first) {}
    }

    @Test func aStarterThatGaveUpLeavesNothing() throws {
        let directory = try TemporaryDirectory()
        let address = ControlAddress(path: "\(directory.path)/run/c")
        _ = try ControlSocket(claiming: address, log: silentLog())
        #expect(unsafe rmdir("\(directory.path)/run") == 0)
        _ = try ControlSocket(claiming: address, log: silentLog())
    }

    @Test func aFileIsNotReplaced() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/c"
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: ControlServerError.notASocket(path)) {
            try ControlSocket(claiming: ControlAddress(path: path), log: silentLog())
        }
        #expect(mode(of: path) == 0o600)
    }

    @Test func pathsUpToTheLimit() async throws {
        let directory = try TemporaryDirectory()
        let start = "\(directory.path)/"
        let longest = start + String(repeating: "x", count: 107 - start.utf8.count)
        try await withServer(path: longest) { path in
            _ = try ControlClient(path: path).request("GET", "/healthz")
        }
        #expect(throws: ControlServerError.pathTooLong(longest + "x")) {
            try ControlSocket(claiming: ControlAddress(path: longest + "x"), log: silentLog())
        }
        #expect(throws: ControlServerError.self) {
            try ControlSocket(
                claiming: ControlAddress(path: "\(start)none/none/c"), log: silentLog())
        }
    }

    @Test func aMissingGroupIsAWarning() async throws {
        let lines = Mutex<[String]>([])
        let log = Logger(label: "test") { _ in
            OperatorLog(level: .info, style: .plain) { line in lines.withLock { $0.append(line) } }
        }
        let directory = try TemporaryDirectory()
        let address = ControlAddress(path: "\(directory.path)/c", group: "no-such-group")
        _ = try ControlSocket(claiming: address, log: log)
        #expect(
            lines.withLock { $0 } == [
                "warning the group of the control socket does not exist: create it or set "
                    + "control.group group=no-such-group\n"
            ])
    }

    @Test func clientErrorsSayWhatToDo() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/c"
        let client = ControlClient(path: path, timeoutSeconds: 1)
        func text() -> String {
            do throws(ControlClientError) {
                return String(decoding: try client.request("GET", "/"), as: UTF8.self)
            } catch {
                return error.description
            }
        }
        let absent =
            "cannot connect to \(path): is vxgate running? start it with vxgate run --config FILE"
        #expect(text() == absent)
        try leaveSocket(at: path)
        #expect(text() == absent)
        #expect(unsafe unlink(path) == 0)
        let listener = try leaveSocket(at: path, listening: true)
        #expect(text() == "no answer from \(path) within 1 s: is vxgate overloaded or stopped?")
        close(listener)
    }

    /// Binds a socket as a daemon that was killed leaves it.
    @discardableResult
    private func leaveSocket(at path: String, listening: Bool = false) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let address = try #require(SocketAddress(path: path))
        #expect(unsafe address.withPointer { unsafe bind(descriptor, $0, $1) } == 0)
        guard listening else {
            close(descriptor)
            return -1
        }
        #expect(listen(descriptor, 5) == 0)
        return descriptor
    }
}
