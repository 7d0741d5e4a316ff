internal import Tables

/// Which learnt ARP entries have a MAC address, so that they can follow it when it moves without a
/// search of the whole table.
///
/// Thread-safety: a value. Cost: O(1) an edit.
struct NeighborIndex {
    /// Neighbor keys by FDB key.
    private var keys: [UInt64: Set<UInt64>] = [:]

    mutating func add(_ key: UInt64, mac: UInt64) {
        keys[Self.place(key, mac), default: []].insert(key)
    }

    mutating func remove(_ key: UInt64, mac: UInt64) {
        let place = Self.place(key, mac)
        keys[place]?.remove(key)
        if keys[place]?.isEmpty == true { keys[place] = nil }
    }

    /// The neighbor keys of an FDB key, in the order of addresses.
    func neighbors(of forwardingKey: UInt64) -> [UInt64] { keys[forwardingKey]?.sorted() ?? [] }

    private static func place(_ key: UInt64, _ mac: UInt64) -> UInt64 {
        ForwardingTable.key(mac: mac, vsi: UInt16(NeighborTable.vsi(of: key)))
    }
}
