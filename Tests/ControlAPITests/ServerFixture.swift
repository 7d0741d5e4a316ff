import Control
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

@testable import ControlAPI

/// A directory of its own under /tmp, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/vxgate-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure(text: "mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let directory = unsafe opendir(path) else { return }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if unsafe unlink("\(path)/\(name)") != 0 { _ = unsafe rmdir("\(path)/\(name)") }
        }
        _ = unsafe closedir(directory)
        _ = unsafe rmdir(path)
    }

    struct Failure: Error { var text: String }
}

func silentLog() -> Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

/// Runs a server on a socket of its own while `body` runs, then shuts it down gracefully.
@discardableResult
func withServer<Result: Sendable>(
    plane: any ControlPlane = FakePlane(), limits: ControlServer.Limits = .init(),
    path: String? = nil, log: Logger = silentLog(),
    _ body: @escaping @Sendable (String) throws -> Result
) async throws -> Result {
    let directory = try TemporaryDirectory()
    let path = path ?? "\(directory.path)/control.sock"
    let (listening, signal) = AsyncStream<Void>.makeStream()
    let socket = try ControlSocket(claiming: ControlAddress(path: path), log: log)
    let server = ControlServer(plane: plane, socket: socket, limits: limits, log: log) {
        signal.finish()
    }
    let group = ServiceGroup(services: [server], logger: silentLog())
    return try await withThrowingTaskGroup(of: Result?.self) { tasks in
        tasks.addTask {
            defer { signal.finish() }
            try await group.run()
            return nil
        }
        for await _ in listening {}
        let result: Result
        do {
            result = try await onThread { try body(path) }
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// Sends bytes over a plain socket and returns everything up to the end of the stream, or nil when
/// it did not end within `seconds`.
func exchange(_ path: String, send bytes: [UInt8], seconds: Int = 5) throws -> String? {
    let connection = try ControlConnection(path: path, timeoutSeconds: seconds)
    try connection.write(bytes)
    var answer: [UInt8] = []
    do {
        while try connection.read(into: &answer) {}
    } catch ControlClientError.timedOut {
        return nil
    }
    return String(decoding: answer, as: UTF8.self)
}
