/// A policy route: packets that come in by one interface and match go to a next hop of their own,
/// before the routing table is asked. In `TableSet.policies`, those of an interface side by side in
/// the order they are tried.
public struct PolicyRecord: BitwiseCopyable, Sendable {
    public var source: UInt32
    public var sourceMask: UInt32
    public var destination: UInt32
    public var destinationMask: UInt32
    public var firstSourcePort: UInt16
    public var lastSourcePort: UInt16
    public var firstDestinationPort: UInt16
    public var lastDestinationPort: UInt16
    /// 0 for any.
    public var protocolNumber: UInt8
    /// The ports above are to be compared; a fragment without ports then never matches.
    public var comparesPorts: Bool
    /// Index of its hit counter.
    public var counter: UInt16
    /// Index into `TableSet.nextHops`.
    public var nextHop: Int32

    public init() {
        source = 0
        sourceMask = 0
        destination = 0
        destinationMask = 0
        firstSourcePort = 0
        lastSourcePort = .max
        firstDestinationPort = 0
        lastDestinationPort = .max
        protocolNumber = 0
        comparesPorts = false
        counter = 0
        nextHop = 0
    }

    /// - Parameters:
    ///   - ports: source port above 16 bits and destination port below, or nil when the packet
    ///     shows none.
    @_noLocks
    public func matches(
        source: UInt32, destination: UInt32, protocolNumber: UInt8, ports: UInt32?
    ) -> Bool {
        guard source & sourceMask == self.source, destination & destinationMask == self.destination,
            self.protocolNumber == 0 || self.protocolNumber == protocolNumber
        else { return false }
        guard comparesPorts else { return true }
        guard let ports else { return false }
        let from = UInt16(truncatingIfNeeded: ports &>> 16)
        let to = UInt16(truncatingIfNeeded: ports)
        return from >= firstSourcePort && from <= lastSourcePort
            && to >= firstDestinationPort && to <= lastDestinationPort
    }
}
