public import Wire

/// What the flows of one stream are made of. Ranges are gone through flow by flow.
public struct FlowSpace: Sendable, Equatable {
    public var source: IPv4Prefix
    public var destination: IPv4Prefix
    public var seed: UInt64
    /// Locally administered addresses that no device has: a stack on the way does not answer.
    public var sourceMACs = MACRange(first: MACAddress(bits: 0x0256_5800_0001))
    public var destinationMACs = MACRange(first: MACAddress(bits: 0x0256_5900_0001))
    /// Nil leaves them to the generator.
    public var sourcePorts: ClosedRange<UInt16>?
    public var destinationPorts: ClosedRange<UInt16>?
    /// Nil is no VLAN tag.
    public var vlans: ClosedRange<UInt16>?
    /// Matter in a tunnel only.
    public var vnis: ClosedRange<UInt32> = 0...0
    /// Flow n has host n of each prefix, again from the first after the last; else a host by
    /// chance.
    public var isSequential = false

    public init(source: IPv4Prefix, destination: IPv4Prefix, seed: UInt64) {
        self.source = source
        self.destination = destination
        self.seed = seed
    }
}

/// MAC addresses one after the other. A host has the same one in every flow: host n of its prefix
/// has the n-th, again from the first after the last.
public struct MACRange: Sendable, Equatable {
    public var first: MACAddress
    public var count: UInt32

    public init(first: MACAddress, count: UInt32 = 1) {
        self.first = first
        self.count = max(1, count)
    }

    public func address(of host: UInt32) -> MACAddress {
        MACAddress(bits: first.bits &+ UInt64(host % count))
    }
}
