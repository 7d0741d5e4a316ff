import Foundation
import Testing

/// What the end-to-end tests need of the machine. A test that cannot run says so and is counted.
enum Requirements {
    /// The directory of the package.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let binary =
        ProcessInfo.processInfo.environment["VXGATE_BINARY"] ?? "\(root)/.build/release/vxgate"

    static let generator =
        URL(fileURLWithPath: binary).deletingLastPathComponent().appendingPathComponent("vxgen")
        .path

    /// Seconds that a ping waits for its reply; more for programs that a sanitizer slows down.
    static let patience =
        ProcessInfo.processInfo.environment["VXGATE_PATIENCE"].flatMap { Int($0) } ?? 1
    /// A sanitizer slows the programs down, most of all where they do something for the first time.
    static let isSlow = patience > 1

    /// Why no test of this target can run; nil when all of them can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "network namespaces need root" }
        if !FileManager.default.isExecutableFile(atPath: binary) {
            return "there is no program at \(binary): swift build -c release"
        }
        for tool in ["nsenter", "ip", "ping", "iperf3", "python3"] where !isInstalled(tool) {
            return "\(tool) is not installed"
        }
        return nil
    }()

    static func isInstalled(_ tool: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/usr/sbin"
        return path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
        }
    }
}

/// All end-to-end tests, one at a time: they measure loss and idle time.
@Suite(
    "End to end", .serialized,
    .enabled(if: Requirements.obstacle == nil, Comment(rawValue: Requirements.obstacle ?? "")))
enum EndToEnd {}
