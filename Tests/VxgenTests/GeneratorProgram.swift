import Foundation
import Programs

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
        let running = try RunningCommand([Self.path] + arguments)
        if let interruptAfter {
            Thread.sleep(forTimeInterval: interruptAfter)
            running.signal(SIGINT)
            if let again {
                Thread.sleep(forTimeInterval: again)
                running.signal(SIGINT)
            }
        }
        let ended = try Command(end: running, seconds: 120)
        status = ended.status
        output = ended.output.split(separator: "\n").map { String($0) }
        errors = ended.errors.split(separator: "\n").map { String($0) }
    }
}
