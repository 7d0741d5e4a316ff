import Dispatch
import Foundation

/// Runs `body` on a thread of its own: blocking calls on the threads of Swift concurrency would
/// starve the server that they wait for.
func onThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "vxgate-test").async {
            continuation.resume(with: Swift.Result { try body() })
        }
    }
}

/// Permission bits of a file, or nil without one.
func mode(of path: String) -> Int? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.posixPermissions] as? NSNumber)?.intValue
}
