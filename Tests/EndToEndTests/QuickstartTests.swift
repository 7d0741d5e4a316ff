import Foundation
import Programs
import Testing

extension EndToEnd {
    /// The first thing a visitor runs must work, with and without root.
    @Suite(
        "Quickstart",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: Requirements.generator),
            "there is no vxgen beside vxgate: swift build -c release"))
    struct QuickstartTests {
        private static let script = "\(Requirements.root)/tools/quickstart"

        @Test("As root")
        func asRoot() throws {
            try expectShow(try Command.run([Self.script, "--no-build"], seconds: 60))
        }

        @Test("Inside a user namespace")
        func inUserNamespace() throws {
            let lab = "\(Requirements.root)/tools/lab/lab"
            try expectShow(
                try Command.run([lab, "shell", Self.script, "--no-build"], seconds: 60))
        }

        private func expectShow(_ done: Command) throws {
            #expect(done.status == 0, "\(done.output.suffix(2000)) \(done.errors)")
            #expect(done.output.matches(of: /answered 5 of 5/).count == 4)
            for words in ["vm1 pings 50.1.1.1", "lost 0", "show policy", "encapsulate"] {
                #expect(done.output.contains(words), "\(words)")
            }
            try #expect(!Command.run(["ip", "netns", "list"]).output.contains("vxl-qs-"))
        }
    }
}
