internal import Tables

/// What waits with the agent when a configuration takes away what it speaks of.
///
/// A packet that entered by a VSI that is no more must not go on: it would be routed in the VRF of
/// whoever is given the index next.
extension Agent {
    /// Drops packets, questions, askers and orders of VSIs, ports and peers that are gone.
    func forgetWaiting(before: GatewayLayout) {
        // In the order of their keys, so that what leaves next is the same for the same input.
        for key in resolutions.keys.sorted() { forgetHeld(key, before) }
        forgetAskers(before)
        orders.removeAll { order in
            guard isGone(order, before) else { return false }
            if case .resume = order { events.heldOverflow += 1 }
            return true
        }
    }

    /// An address that is asked for by an interface that has gone is asked for by the one the VSI
    /// has now, and forgotten when there is none.
    private func forgetHeld(_ key: UInt64, _ before: GatewayLayout) {
        guard var resolution = resolutions[key] else { return }
        let gone = resolution.held.filter { isGone($0.place, vsi: $0.vsi, before) }
        if !gone.isEmpty {
            events.heldOverflow += UInt64(gone.count)
            for packet in gone { heldBytes -= packet.bytes.count }
            resolution.held.removeAll { isGone($0.place, vsi: $0.vsi, before) }
            resolutions[key] = resolution
        }
        let name = layout.vsiOf[NeighborTable.vsi(of: key)]?.name
        if let name, layout.interfaceOf[resolution.interface]?.vsi == name { return }
        if let fresh = layout.interfaceOf.first(where: { $0.value.vsi == name })?.key {
            resolutions[key]?.interface = fresh
            return
        }
        abandon(key)
        removeNeighbors { candidate, value in
            candidate == key && NeighborTable.isIncomplete(value)
        }
    }

    private func forgetAskers(_ before: GatewayLayout) {
        for (key, var waiting) in pending {
            let vsi = NeighborTable.vsi(of: key)
            waiting.askers.removeAll { isGone($0.place, vsi: vsi, before) }
            pending[key] = waiting.askers.isEmpty ? nil : waiting
        }
    }

    private func isGone(_ order: AgentOrder, _ before: GatewayLayout) -> Bool {
        switch order {
        case .send(_, let vsi, let place): isGone(place, vsi: vsi, before)
        case .flood(_, let vsi, _, _, let origin): isGone(origin, vsi: vsi, before)
        case .resume(let packet): isGone(packet.place, vsi: packet.vsi, before)
        case .route(_, let vsi): isGone(.none, vsi: vsi, before)
        }
    }
}
