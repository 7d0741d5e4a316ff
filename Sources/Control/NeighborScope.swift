internal import Tables
internal import Wire

/// The addresses that neighbors on a VSI-interface may have: those of hosts in its subnets, and the
/// next hops that its onlink routes name.
struct NeighborScope {
    private let subnets: [IPv4Prefix]
    private let hops: Set<IPv4Address>

    init(
        of interface: Configuration.VSIInterface, _ configuration: Configuration,
        _ layout: GatewayLayout
    ) {
        subnets = interface.addresses
        hops = Set(
            configuration.staticRoutes.filter(\.onlink).flatMap { route in
                route.via.filter {
                    layout.interface(of: route, via: $0)?.name == interface.name
                }
            })
    }

    func mayHold(_ address: IPv4Address) -> Bool {
        hops.contains(address) || subnets.contains { $0.mayHold(address) }
    }

    /// In a subnet, as its network or its broadcast address.
    func isEdge(_ address: IPv4Address) -> Bool {
        subnets.contains { $0.contains(address) && !$0.mayHold(address) }
    }
}

extension Agent {
    /// Forgets learnt neighbors, and those being asked for, that no subnet and no onlink route of
    /// their interface has any longer. What the operator has set stays.
    func forgetOutsiders() {
        let scopes = layout.interfaceOfVSI.compactMapValues { index in
            layout.interfaceOf[index].map { NeighborScope(of: $0, configuration, layout) }
        }
        removeNeighbors { key, value in
            guard !NeighborTable.isStatic(value), let scope = scopes[NeighborTable.vsi(of: key)]
            else { return false }
            return !scope.mayHold(NeighborTable.address(of: key))
        }
    }
}
