import Foundation
import Testing

/// `vxgen search` over a wire that loses nothing: the highest load is the result.
@Suite(
    .serialized, .enabled(if: GeneratorProgram.isBuilt && Lab.isPermitted, "needs root and vxgen"))
struct SearchProgramTests {
    private func words(_ lab: Lab) -> [String] {
        [
            "search", "--device", "a0", "--netns", lab.left, "--receive", "b0", "--receive-netns",
            lab.right, "--trial", "100ms", "--max-rate", "2kpps",
        ]
    }

    @Test func everySizeHasItsResultAndFiles() throws {
        let lab = try Lab()
        let folder = FileManager.default.temporaryDirectory.path + "/vxgen-\(UUID().uuidString)"
        let (svg, csv) = (folder + ".svg", folder + ".csv")
        defer {
            for file in [svg, csv] { try? FileManager.default.removeItem(atPath: file) }
        }
        let program = try GeneratorProgram(
            words(lab) + ["--size", "64/imix", "--json", "--svg", svg, "--csv", csv])
        #expect(program.status == 0, "\(program.errors)")
        #expect(program.output.dropLast().allSatisfy { $0.hasPrefix(#"{"live":true,"size":"#) })
        let last = try #require(program.output.last)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        let sizes = try #require(object["search"] as? [[String: Any]])
        #expect(sizes.map { $0["size"] as? String } == ["64", "imix"])
        for size in sizes {
            let goals = try #require(size["goals"] as? [[String: Any]])
            #expect(goals.count == 2)
            for goal in goals {
                // A machine that is too busy to send 2000 frames a second says so.
                let load = try #require(goal["pps"] as? Double)
                #expect(load <= 2000 && (load == 2000 || goal["limited_by"] is String))
                #expect(goal["upper"] is NSNull && goal["converged"] as? Bool == true)
            }
        }
        #expect(try String(contentsOfFile: svg, encoding: .utf8).hasSuffix("</svg>\n"))
        #expect(
            try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\r\n").count >= 7)
    }

    @Test func aNetworkThatLosesEverythingIsOneLineAndStatusOne() throws {
        let lab = try Lab()
        try lab.connect("c0", lab.right, "d0", lab.left)
        var words = words(lab)
        words[6] = "d0"
        words[8] = lab.left
        let program = try GeneratorProgram(words)
        #expect(program.status == 1 && program.errors.count == 1)
        #expect(program.errors.first?.hasPrefix("vxgen: search: no load met a goal") == true)
    }

    @Test(arguments: [
        "--pdr 2", "--pdr x", "--precision -1", "--trials 0", "--trial 5", "--min-rate 3",
        "--size 64/", "--size 64//imix",
    ])
    func wrongUsageIsOneLineAndStatusTwo(more: String) throws {
        let program = try GeneratorProgram(
            ["search", "--device", "a", "--receive", "b"]
                + more.split(separator: " ").map(String.init))
        #expect(program.status == 2 && program.output.isEmpty && program.errors.count == 1)
        #expect(program.errors.first?.hasSuffix("see vxgen search --help") == true)
    }
}
