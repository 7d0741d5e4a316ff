import Foundation

/// A program run to its end, or ended when it takes longer than it may.
struct Command {
    let status: Int32
    let output: String
    let errors: String

    /// The first word is looked up on the PATH. What the program prints goes through files, so that
    /// neither side ever waits for a full pipe.
    @discardableResult
    static func run(
        _ words: [String], seconds: Double = 20, environment: [String: String] = [:]
    ) throws -> Command {
        let running = try RunningCommand(words, environment: environment)
        guard let status = running.wait(seconds: seconds) else {
            running.kill()
            throw LabTrouble("`\(words.joined(separator: " "))` took more than \(seconds) s")
        }
        return Command(status: status, output: running.output, errors: running.errors)
    }

    /// The lines of standard error that are not empty.
    var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// The machine or the lab failed; it says nothing about vxgate.
struct LabTrouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A program that goes on while the test does other things; killed when the test lets go of it.
final class RunningCommand {
    private let process = Process()
    private let directory: URL

    init(_ words: [String], environment: [String: String] = [:]) throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("vxgate-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(directory, "output")
        process.standardError = try Self.file(directory, "errors")
        try process.run()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    var processIdentifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var output: String { text("output") }
    var errors: String { text("errors") }

    /// The exit status (128 + the signal's number for a signal); nil when it still goes on then.
    func wait(seconds: Double) -> Int32? {
        let limit = Date(timeIntervalSinceNow: seconds)
        while process.isRunning {
            guard Date() < limit else { return nil }
            usleep(10_000)
        }
        return process.terminationReason == .exit
            ? process.terminationStatus : 128 + process.terminationStatus
    }

    func signal(_ number: Int32) { _ = Glibc.kill(process.processIdentifier, number) }

    func kill() {
        guard process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
    }

    private static func file(_ directory: URL, _ name: String) throws -> FileHandle {
        let url = directory.appendingPathComponent(name)
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    private func text(_ name: String) -> String {
        let data = try? Data(contentsOf: directory.appendingPathComponent(name))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
