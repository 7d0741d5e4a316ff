public import Wire

/// Hosts with consecutive addresses and MAC addresses: host n has the n-th address of a prefix,
/// network and broadcast address left out, and the n-th MAC address. It is what `FlowSpace` sends
/// to with as many destination MACs as hosts.
public struct HostSpace: Sendable, Equatable {
    public let first: IPv4Address
    public let firstMAC: MACAddress
    public let count: Int

    /// Hosts of a prefix at most; a location takes one byte.
    public static let maximumCount = 1 << 24

    /// - Parameter limit: hosts at most; nil is all of the prefix.
    /// - Returns: nil when the prefix has more than `maximumCount` hosts, or fewer than the limit.
    public init?(_ prefix: IPv4Prefix, firstMAC: MACAddress, limit: Int? = nil) {
        let isSmall = prefix.length >= 31
        let size = Int(~prefix.mask) + 1 - (isSmall ? 0 : 2)
        let count = limit ?? size
        guard count >= 1, count <= size, count <= Self.maximumCount,
            firstMAC.bits + UInt64(count) <= 1 << 48
        else { return nil }
        first = IPv4Address(
            bits: prefix.length == 32
                ? prefix.address.bits : prefix.network.bits + (isSmall ? 0 : 1))
        self.firstMAC = firstMAC
        self.count = count
    }

    @_noLocks
    public func address(of host: Int) -> IPv4Address {
        IPv4Address(bits: first.bits &+ UInt32(truncatingIfNeeded: host))
    }

    @_noLocks
    public func mac(of host: Int) -> MACAddress {
        MACAddress(bits: firstMAC.bits &+ UInt64(truncatingIfNeeded: host))
    }

    /// The host with this address; nil when none has it.
    @_noLocks
    public func host(with address: IPv4Address) -> Int? {
        let host = Int(address.bits) &- Int(first.bits)
        return host >= 0 && host < count ? host : nil
    }
}
