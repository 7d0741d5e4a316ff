import Control
import Testing

/// What a plan says of the difference between two texts.
@Suite struct ConfigurationPlanTests {
    private func plan(_ edits: (old: String, new: String)...) throws -> ConfigurationPlan {
        var text = ConfigurationTexts.small
        for edit in edits { text = replacing(edit.old, by: edit.new, in: text) }
        return ConfigurationPlan(
            from: try parsed(ConfigurationTexts.small).configuration,
            to: try parsed(text).configuration)
    }

    @Test func nothingChanges() throws {
        let plan = try plan(("vrfs: [default, red, blue]", "vrfs: [ red, blue ]   # the same"))
        #expect(plan.isEmpty)
        #expect(plan.lines.isEmpty)
        #expect(plan.restartRequired.isEmpty)
    }

    @Test func thingsComeChangeAndGo() throws {
        let plan = try plan(
            ("  - { name: p2, address: 198.51.100.12, vnis: [10010] }\n", ""),
            ("flood-list: [p1, p2]", "ageing: 5s, learning: off"),
            (
                "- { name: v20, vni: 10020, flood-list: [p1], arp-suppression: on }",
                "- { name: v20, vni: 10020, flood-list: [p1], arp-suppression: on }\n"
                    + "  - { name: v40 }"
            ),
            ("via: 10.0.10.2", "via: 10.0.10.3"))
        #expect(
            plan.lines == [
                "- peer p2",
                "~ vsi v10: flood-list [p1, p2] → default, learning on → off, ageing 300s → 5s",
                "+ vsi v40",
                "- static-route 192.0.2.0/24 via 10.0.10.2 interface g10 vrf red",
                "+ static-route 192.0.2.0/24 via 10.0.10.3 interface g10 vrf red",
            ])
        #expect(plan.restartRequired.isEmpty)
    }

    @Test func liveSettings() throws {
        let plan = try plan(
            ("df: set", "df: inherit\n  ttl: inherit"),
            ("name: t1", "name: t2\n  spin: 1ms\n  gather: 0"),
            ("mac: 02:aa:00:00:00:01, port: a1", "mac: 02:aa:00:00:00:01, peer: p2"))
        #expect(
            plan.lines == [
                "~ system: name t1 → t2, spin 50us → 1ms, gather 50us → 0s",
                "~ vtep: ttl 64 → inherit, df set → inherit",
                "~ static-fdb v10 02:aa:00:00:00:01: to port a1 → peer p2",
            ])
        #expect(plan.restartRequired.isEmpty)
    }

    @Test(arguments: [
        ("address: 198.51.100.1\n", "address: 198.51.100.9\n", "vtep.address"),
        ("address: 198.51.100.1\n", "interface: eth0\n", "vtep.address"),
        ("df: set", "df: set\n  udp-port: 8472", "vtep.udp-port"),
        ("df: set", "df: set\n  underlay: tap", "vtep.underlay"),
        ("df: set", "df: set\n  source-ports: 1", "vtep.source-ports"),
        ("name: t1", "name: t1\n  workers: 2", "system.workers"),
        ("name: t1", "name: t1\ncontrol: { socket: /tmp/s }", "control.socket"),
        ("name: t1", "name: t1\ncontrol: { group: adm }", "control.group"),
        ("name: t1", "name: t1\nmetrics: { listen: 127.0.0.1:9477 }", "metrics.listen"),
    ]) func whatNeedsARestart(_ old: String, _ new: String, _ key: String) throws {
        let plan = try plan((old, new))
        #expect(plan.restartRequired.count == 1)
        #expect(plan.restartRequired.first?.hasPrefix(key + " ") == true)
        #expect(plan.restartRequired.first?.contains("restart vxgate") == true)
        #expect(plan.lines.count == 1)
    }

    @Test func theDeviceOfTheUnderlayNeedsARestart() throws {
        let tap = replacing("df: set", by: "underlay: tap", in: ConfigurationTexts.small)
        let other = replacing("underlay: tap", by: "underlay: tap\n  device: t9", in: tap)
        let plan = ConfigurationPlan(
            from: try parsed(tap).configuration, to: try parsed(other).configuration)
        #expect(plan.lines == ["~ vtep: device vxgate0 → t9"])
        #expect(plan.restartRequired.first?.hasPrefix("vtep.device ") == true)
    }

    @Test func everyDifferenceIsSeen() throws {
        let small = try parsed(ConfigurationTexts.small).configuration
        let full = try parsed(ConfigurationTexts.full).configuration
        let there = ConfigurationPlan(from: small, to: full)
        let back = ConfigurationPlan(from: full, to: small)
        #expect(there.lines.count == back.lines.count)
        #expect(
            there.lines.filter { $0.hasPrefix("+ ") }.count
                == back.lines.filter { $0.hasPrefix("- ") }.count)
        #expect(there.lines.contains("+ native-port wan"))
        #expect(
            there.lines.contains(
                "~ timers: arp-ageing 1200s → 3600s, arp-retry 1s → 500ms, arp-attempts 3 → 5, "
                    + "mac-move-window 180s → 60s, mac-freeze 180s → 300s"))
        #expect(there.lines.contains("~ metrics: listen off → 127.0.0.1:9477"))
        #expect(there.restartRequired.count == 9)
    }
}
