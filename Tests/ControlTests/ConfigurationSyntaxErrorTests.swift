import Testing

/// Sections that are there once, and texts that are no configuration at all.
@Suite struct ConfigurationSyntaxErrorTests {
    @Test(arguments: Self.texts) func isRefused(_ broken: BrokenText) { broken.check() }

    static let texts: [BrokenText] = [
        BrokenText(
            "a multicast VTEP", "address: 198.51.100.1\n", "address: 239.1.1.1\n", at: "4:12",
            "vtep.address", "239.1.1.1 is a multicast address"),
        BrokenText(
            "VTEP 0.0.0.0", "address: 198.51.100.1\n", "address: 0.0.0.0\n", at: "4:12",
            "vtep.address", "0.0.0.0 is an address of"),
        BrokenText(
            "no VTEP address", "  address: 198.51.100.1\n", "", at: "4:3", "vtep.address",
            "the key is missing here"),
        BrokenText(
            "address and interface", "  address: 198.51.100.1\n",
            "  address: 198.51.100.1\n  interface: eth0\n", at: "5:14", "vtep.interface",
            "the VTEP address is given"),
        BrokenText(
            "a tap underlay without an address", "  address: 198.51.100.1\n",
            "  interface: eth0\n  underlay: tap\n", at: "4:14", "vtep.interface",
            "underlay 'tap'"),
        BrokenText(
            "a device for the udp underlay", "df: set", "device: t0", at: "5:11", "vtep.device",
            "only underlay 'tap' makes a device"),
        BrokenText(
            "no name of a device", "df: set", "underlay: tap\n  device: a:b", at: "6:11",
            "vtep.device", "no device has"),
        BrokenText(
            "UDP port 0", "df: set", "udp-port: 0", at: "5:13", "vtep.udp-port",
            "is out of range: a"),
        BrokenText(
            "UDP port 65536", "df: set", "udp-port: 65536", at: "5:13", "vtep.udp-port",
            "is out of range: a"),
        BrokenText(
            "a spin without a unit", "name: t1", "spin: 20", at: "2:9", "system.spin",
            "has no unit: write a time such as 20us or 1ms"),
        BrokenText(
            "a spin of two seconds", "name: t1", "spin: 2s", at: "2:9", "system.spin",
            "is out of range: 0s to 1s is expected"),
        BrokenText(
            "a gather of two milliseconds", "name: t1", "gather: 2ms", at: "2:11",
            "system.gather", "is out of range: 0s to 1ms is expected"),
        BrokenText("a TTL of 0", "df: set", "ttl: 0", at: "5:8", "vtep.ttl", "is out of range: a"),
        BrokenText(
            "a DSCP of 64", "df: set", "dscp: 64", at: "5:9", "vtep.dscp", "is out of range: a"),
        BrokenText(
            "no source ports", "df: set", "source-ports: 0", at: "5:17", "vtep.source-ports",
            "is out of range: a"),
        BrokenText(
            "a misspelt word", "df: set", "df: inherti", at: "5:7", "vtep.df",
            "did you mean 'inherit'?"),
        BrokenText(
            "no boolean", "df: set", "accept-unknown-peers: maybe", at: "5:25",
            "vtep.accept-unknown-peers", "is neither on nor off"),
        BrokenText(
            "a key twice in a block", "df: set", "df: set\n  address: 198.51.100.2", at: "6:3",
            "vtep.address", "the key is written twice"),
        BrokenText(
            "a section that is no mapping", "system:\n  name: t1", "system: t1", at: "1:9",
            "system", "keys with values are expected"),
        BrokenText(
            "a value that is a list", "df: set", "df: [set]", at: "5:7", "vtep.df",
            "a single value is expected"),
        BrokenText(
            "a bracket that is not closed", "[default, red, blue]", "[default, red, blue",
            at: "11:5", "", "this is not YAML: did"),
        BrokenText("a tab", "  df: set", "\tdf: set", at: "5:1", "", "this is not YAML: found"),
        BrokenText("an alias", "df: set", "df: *x", at: "5:7", "", "anchors (&) and aliases (*)"),
        BrokenText(
            "an anchor", "df: set", "df: &x set", at: "5:7", "", "anchors (&) and aliases (*)"),
        BrokenText(
            "a second document", "vrfs:", "---\nvrfs:", at: "10:1", "", "this is not YAML: but"),
        BrokenText(
            "an unknown section", "", "timer: { arp-retry: 1s }", at: "31:1", "timer",
            "did you mean 'timers'?"),
        BrokenText(
            "an ageing without a unit", "", "timers: { arp-ageing: 300 }", at: "31:23",
            "timers.arp-ageing", "has no unit: write a"),
        BrokenText(
            "a unit that is none", "", "timers: { arp-ageing: 3 weeks }", at: "31:23",
            "timers.arp-ageing", "is not a time: write"),
        BrokenText(
            "a retry of no time", "", "timers: { arp-retry: 0s }", at: "31:22", "timers.arp-retry",
            "is out of range: 100ms"),
        BrokenText(
            "no attempts", "", "timers: { arp-attempts: 0 }", at: "31:25", "timers.arp-attempts",
            "is out of range: a"),
        BrokenText(
            "a time that overflows", "", "timers: { arp-ageing: 9223372036854775807d }",
            at: "31:23", "timers.arp-ageing", "is out of range: write"),
        BrokenText(
            "a rate without a unit", "", "limits: { arp-punt: 600 }", at: "31:21",
            "limits.arp-punt", "has no unit: write a"),
        BrokenText(
            "a rate of seconds", "", "limits: { icmp-errors: 100s }", at: "31:24",
            "limits.icmp-errors", "is not a rate: write"),
        BrokenText(
            "too many moves", "", "limits: { mac-moves: 1001 }", at: "31:22", "limits.mac-moves",
            "is out of range: a"),
        BrokenText(
            "no freeze", "", "timers: { mac-freeze: 0s }", at: "31:23", "timers.mac-freeze",
            "is out of range: 1s to"),
        BrokenText(
            "no queue", "", "limits: { unresolved-queue: 0 }", at: "31:29",
            "limits.unresolved-queue", "is out of range: a"),
        BrokenText(
            "a socket path of 125 bytes", "",
            "control: { socket: /tmp/\(String(repeating: "x", count: 120)) }",
            at: "31:20", "control.socket", "the path has 125 bytes"),
        BrokenText(
            "a relative socket path", "", "control: { socket: c.sock }", at: "31:20",
            "control.socket", "is not an absolute path"),
        BrokenText(
            "metrics without a port", "", "metrics: { listen: 127.0.0.1 }", at: "31:20",
            "metrics.listen", "is not an address and"),
        BrokenText(
            "metrics without an address", "", "metrics: {}", at: "31:10", "metrics.listen",
            "the key is missing here"),
    ]
}
