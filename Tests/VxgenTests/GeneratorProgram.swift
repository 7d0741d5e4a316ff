import Foundation

/// One call of the program, from its start to its exit.
struct GeneratorProgram {
    let status: Int32
    let output: [String]
    let errors: [String]

    /// Beside the tests.
    static let path: String = {
        let here =
            (try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: here).deletingLastPathComponent().path + "/vxgen"
    }()

    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// - Parameters:
    ///   - interruptAfter: seconds until SIGINT.
    ///   - again: seconds from then to another one.
    init(_ arguments: [String], interruptAfter: Double? = nil, again: Double? = nil) throws {
        let process = Process()
        let out = Pipe()
        let err = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.standardOutput = out
        process.standardError = err
        try process.run()
        if let interruptAfter {
            Thread.sleep(forTimeInterval: interruptAfter)
            process.interrupt()
            if let again {
                Thread.sleep(forTimeInterval: again)
                process.interrupt()
            }
        }
        // What a run prints fits the pipes' buffers.
        process.waitUntilExit()
        status = process.terminationStatus
        func lines(_ pipe: Pipe) -> [String] {
            String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                .split(separator: "\n").map { String($0) }
        }
        output = lines(out)
        errors = lines(err)
    }
}
