internal import Wire

/// One key of a configured thing as an operator writes it; plans compare things fact by fact.
struct Fact: Equatable {
    let key: String
    let value: String

    init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }

    init(_ key: String, _ value: Bool) { self.init(key, value ? "on" : "off") }

    init<Value: CustomStringConvertible>(_ key: String, _ value: Value?, none: String) {
        self.init(key, value?.description ?? none)
    }

    init<Value: CustomStringConvertible>(_ key: String, list: [Value]?, none: String) {
        self.init(key, list.map { "[\($0.map(\.description).joined(separator: ", "))]" } ?? none)
    }

    /// The kinds of things, in the order of the file.
    enum Kind: String, CaseIterable {
        case system, vtep, peer, vrf, vsi
        case accessPort = "access-port"
        case vsiInterface = "vsi-interface"
        case nativePort = "native-port"
        case staticFDB = "static-fdb"
        case staticARP = "static-arp"
        case staticRoute = "static-route"
        case policyRoute = "policy-route"
        case timers, limits, control, metrics, state
    }

    /// A thing with what makes it the same thing in two configurations: its kind and its name.
    struct Thing {
        let kind: Kind
        /// Empty for a section that is there once.
        let name: String
        let facts: [Fact]

        var title: String { name.isEmpty ? kind.rawValue : "\(kind.rawValue) \(name)" }
        var id: String { title }

        init(_ kind: Kind, _ name: String = "", _ facts: [Fact]) {
            self.kind = kind
            self.name = name
            self.facts = facts
        }
    }

    /// Everything of a configuration.
    static func things(of configuration: Configuration) -> [Thing] {
        settings(of: configuration) + switching(of: configuration) + routing(of: configuration)
    }

    /// The sections that are there exactly once, always all of them and in the same order.
    static func settings(of configuration: Configuration) -> [Thing] {
        let metrics = configuration.metrics.map { "\($0.address):\($0.port)" }
        let control = configuration.control
        return [
            system(configuration.system), vtep(configuration.vtep), timers(configuration.timers),
            limits(configuration.limits),
            Thing(
                .control, "",
                [Fact("socket", control.socket), Fact("group", control.group, none: "none")]),
            Thing(.metrics, "", [Fact("listen", metrics, none: "off")]),
            Thing(.state, "", [Fact("directory", configuration.state.directory)]),
        ]
    }

    private static func system(_ system: Configuration.System) -> Thing {
        let workers =
            switch system.workers {
            case .automatic: "auto"
            case .count(let count): String(count)
            }
        return Thing(
            .system, "",
            [
                Fact("name", system.name.isEmpty ? "host name" : system.name),
                Fact("workers", workers), Fact("spin", spinText(system.spinMicroseconds)),
                Fact("gather", spinText(system.gatherMicroseconds)),
            ])
    }

    private static func vtep(_ vtep: Configuration.VTEP) -> Thing {
        let address =
            switch vtep.address {
            case .address(let address): address.description
            case .interface(let device): "of \(device)"
            }
        let ttl =
            switch vtep.ttl {
            case .fixed(let ttl): String(ttl)
            case .inherit: "inherit"
            }
        let dscp =
            switch vtep.dscp {
            case .fixed(let dscp): String(dscp)
            case .inherit: "inherit"
            }
        return Thing(
            .vtep, "",
            [
                Fact("address", address), Fact("udp-port", String(vtep.udpPort)),
                Fact("underlay", vtep.underlay.rawValue), Fact("device", vtep.device),
                Fact("source-ports", String(vtep.sourcePorts)), Fact("ttl", ttl),
                Fact("dscp", dscp), Fact("df", vtep.df.rawValue),
                Fact("udp-checksum", vtep.udpChecksum.rawValue),
                Fact("reserved-bits", vtep.reservedBits.rawValue),
                Fact("accept-unknown-peers", vtep.acceptUnknownPeers),
            ])
    }

    private static func timers(_ timers: Configuration.Timers) -> Thing {
        Thing(
            .timers, "",
            [
                Fact("arp-ageing", timeText(Int((timers.arpAgeingSeconds * 1000).rounded()))),
                Fact("arp-retry", timeText(Int((timers.arpRetrySeconds * 1000).rounded()))),
                Fact("arp-attempts", String(timers.arpAttempts)),
                Fact(
                    "mac-move-window", timeText(Int((timers.macMoveWindowSeconds * 1000).rounded()))
                ),
                Fact("mac-freeze", timeText(Int((timers.macFreezeSeconds * 1000).rounded()))),
            ])
    }

    private static func limits(_ limits: Configuration.Limits) -> Thing {
        Thing(
            .limits, "",
            [
                Fact("arp-punt", "\(limits.arpPuntPerSecond)pps"),
                Fact("icmp-errors", "\(limits.icmpErrorsPerSecond)pps"),
                Fact("unresolved-queue", String(limits.unresolvedQueue)),
                Fact("mac-moves", String(limits.macMoves)),
            ])
    }
}
