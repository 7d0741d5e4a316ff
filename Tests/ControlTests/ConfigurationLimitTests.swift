import Control
import Foundation
import Testing

/// Texts that try to be expensive, texts that are cut or changed anywhere, and large ones that are
/// right.
@Suite struct ConfigurationLimitTests {
    @Test func allErrorsAtOnce() {
        var text = ConfigurationTexts.small
        text = replacing("name: v20, vni: 10020", by: "name: v20, vni: 0, vni: 5", in: text)
        text = replacing("device: a2, vsi: v10", by: "device: a2, vsi: nowhere", in: text)
        text = replacing("vrf: blue, ", by: "vrf: blue, mtu: 0, mtu: 1500, mtu: 9000, ", in: text)
        text += "\ntimer: {}"
        #expect(
            errors(text).map { "\($0.line) \($0.path)" } == [
                "13 vsis[1].vni", "13 vsis[1].vni", "17 access-ports[1].vsi",
                "23 vsi-interfaces[2].mtu", "23 vsi-interfaces[2].mtu", "23 vsi-interfaces[2].mtu",
                "31 timer",
            ])
    }

    @Test func manyErrorsAreCounted() {
        let items = (0..<1000).map { "  - { name: v\($0), vni: 0 }" }.joined(separator: "\n")
        let found = errors("vtep: { address: 10.0.0.1 }\nvsis:\n\(items)")
        #expect(found.count == 201)
        #expect(found.last?.text == "and 800 more errors: correct these first")
    }

    @Test func aTextOfMoreThanFourMebibytesIsRefused() {
        let found = errors("# " + String(repeating: "x", count: 4 << 20))
        #expect(found.count == 1)
        #expect(found.first?.text.contains("4194304") == true)
    }

    @Test(arguments: [65, 900, 5000, 500_000]) func deepNestingIsRefused(_ depth: Int) {
        for (open, close) in [("[", "]"), ("{ a: ", "}"), ("- ", "")] {
            let text =
                "peers:\n  " + String(repeating: open, count: depth)
                + String(repeating: close, count: depth)
            #expect(errors(text).contains { $0.path.isEmpty }, "\(open) \(depth)")
        }
    }

    @Test func sixtyFourLevelsAreNoErrorOfNesting() {
        // The root and the list under `peers` are two levels of the 64.
        let text = "peers: " + String(repeating: "[", count: 62) + String(repeating: "]", count: 62)
        #expect(!errors(text).contains { $0.text.contains("nested") })
        #expect(
            errors(
                "peers: " + String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
            )
            .contains { $0.text.contains("nested") })
    }

    @Test func aBombOfAliasesIsRefusedAtOnce() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let item = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(item)]\n"
        }
        text += "? *a30\n: x\n"
        let start = ContinuousClock.now
        #expect(errors(text).map { "\($0.line):\($0.column)" } == ["1:5"])
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test(arguments: [
        "x: &a b", "x: *a", "- *a", "[*a]", "{a: *b}", "{*a : b}", "? *a", "<<: *a", "*a : b",
        "x: 'a # b', y: *a", "x: \"\n# \", *a", "# a comment\u{2028}x: *a", "# a comment\rx: *a",
        "# a comment\u{85}x: *a", "!!str &a b", "&a", "x: [b,*a]",
    ]) func anAliasIsSeen(_ text: String) {
        #expect(errors(text).contains { $0.text.contains("aliases") })
    }

    @Test(arguments: [
        "# an *important* remark & more", "system: { name: R&D }  # see *there*",
        "system: { name: a*b }", "# 1 & 2",
    ]) func commentsAndNamesMayHaveTheSigns(_ text: String) throws {
        _ = try parsed("vtep: { address: 10.0.0.1 }\n" + text)
    }

    @Test func aTextCutAnywhereIsAnsweredWithErrorsOrAConfiguration() {
        for text in [ConfigurationTexts.small, ConfigurationTexts.full] {
            var cut = text
            while !cut.isEmpty {
                cut.removeLast()
                for error in errors(cut) {
                    #expect(error.line >= 1 && error.column >= 1 && !error.text.isEmpty)
                }
            }
        }
    }

    /// Random texts near right ones; a crash is the failure. `seed` names the run.
    @Test(arguments: [1, 2, 3, 4]) func aTextChangedAnywhereIsAnswered(_ seed: UInt64) {
        var random = Random(state: seed)
        let signs = Array("{}[]:,-#'\"|>?!%@`\\ \n\t\u{0}\u{85}\u{2028}é0a/.~<").map(String.init)
        let scalars = Array(ConfigurationTexts.full.unicodeScalars)
        for _ in 0..<400 {
            var changed = scalars.map(String.init)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: changed[index] = ""
                case 1: changed[index] = signs.randomElement(using: &random) ?? ""
                case 2: changed[index] += signs.randomElement(using: &random) ?? ""
                default:
                    let length = Int.random(in: 1...40, using: &random)
                    let from = Int.random(in: 0..<changed.count, using: &random)
                    changed[index] += changed[from...].prefix(length).joined()
                }
            }
            for error in errors(changed.joined()) {
                #expect(!error.description.unicodeScalars.contains("\n"), "seed \(seed)")
            }
        }
    }

    @Test func aThousandVSIsAreReadInTwoSeconds() throws {
        var text = "vtep: { address: 172.16.0.1 }\npeers:\n"
        for peer in 1...100 { text += "  - { name: p\(peer), address: 172.16.1.\(peer) }\n" }
        text += "vsis:\n"
        for vsi in 1...1000 {
            text += "  - { name: v\(vsi), vni: \(vsi), flood-list: [p1, p2, p3], ageing: 5m, "
            text += "flooding: { broadcast: on, multicast: off } }\n"
        }
        text += "vsi-interfaces:\n"
        for vsi in 1...1000 {
            text +=
                "  - { name: g\(vsi), vsi: v\(vsi), address: 10.\(vsi / 250).\(vsi % 250).1/24 }\n"
        }
        text += "static-routes:\n"
        for vsi in 1...1000 {
            text +=
                "  - { prefix: 20.\(vsi / 250).\(vsi % 250).0/24, "
            text += "via: 10.\(vsi / 250).\(vsi % 250).2 }\n"
        }
        let start = ContinuousClock.now
        let configuration = try parsed(text).configuration
        let plan = ConfigurationPlan(
            from: Configuration(vtep: configuration.vtep), to: configuration)
        let elapsed = ContinuousClock.now - start
        #expect(plan.lines.count == 3100)
        #expect(elapsed < .seconds(2), "\(elapsed)")
    }
}

/// SplitMix64: the same numbers for the same seed everywhere.
private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
