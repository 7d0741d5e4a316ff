import Foundation
import Programs
import Testing

extension EndToEnd {
    /// What the documents say is what the program does.
    @Suite("Documents")
    struct DocumentTests {
        private static let manual = "\(Requirements.root)/docs/manual.md"

        /// On a difference the table as it must be is left beside the build, ready to be pasted.
        @Test("The manual lists every drop reason as the program does")
        func dropReasons() throws {
            try TestLab.with(.taps) { lab in
                let reasons: [Reason] = try lab.show("gw1", "drops")
                #expect(reasons.count > 40)
                let rows = reasons.map { "| `\($0.reason)` | \($0.stage) | \($0.description) |" }
                let table =
                    (["| reason | stage | counted when |", "| --- | --- | --- |"] + rows)
                    .joined(separator: "\n")
                let text = try String(contentsOfFile: Self.manual, encoding: .utf8)
                if !text.contains(table) {
                    let path = "\(Requirements.root)/.build/drop-reasons.md"
                    try table.write(toFile: path, atomically: true, encoding: .utf8)
                    Issue.record("the table in docs/manual.md differs from \(path)")
                }
            }
        }

        @Test(
            "Every YAML example of the documents is a valid configuration",
            arguments: [
                manual, "\(Requirements.root)/README.md",
            ])
        func examples(document: String) throws {
            let text = try String(contentsOfFile: document, encoding: .utf8)
            let path = FileManager.default.temporaryDirectory
                .appendingPathComponent("vxgate-example-\(UUID().uuidString).yaml").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            for block in text.components(separatedBy: "```yaml\n").dropFirst() {
                let yaml = block.components(separatedBy: "```")[0]
                try yaml.write(toFile: path, atomically: true, encoding: .utf8)
                let check = try Command.run([Requirements.binary, "config", "check", path])
                #expect(check.status == 0, "\(yaml)\n\(check.errors)")
            }
        }

        @Test(
            "Every file that a document links to exists",
            arguments: [
                "README.md", "ARCHITECTURE.md", "docs/manual.md", "docs/walk.md", "CHANGELOG.md",
            ])
        func links(document: String) throws {
            let path = URL(fileURLWithPath: "\(Requirements.root)/\(document)")
            let text = try String(contentsOf: path, encoding: .utf8)
            for link in text.matches(of: /\]\(([^)#]+)\)/) where !link.1.hasPrefix("http") {
                let target = path.deletingLastPathComponent().appendingPathComponent(String(link.1))
                #expect(FileManager.default.fileExists(atPath: target.path), "\(link.1)")
            }
        }

        @Test("Every command the manual names exists")
        func commands() throws {
            let text = try String(contentsOfFile: Self.manual, encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("vxgate ") {
                let verb = String(line.split(separator: " ")[1])
                let help = try Command.run([Requirements.binary, verb, "--help"])
                #expect(help.status == 0, "\(verb): \(help.errors)")
            }
        }

        private struct Reason: Decodable {
            var reason: String
            var stage: String
            var description: String
        }
    }
}
