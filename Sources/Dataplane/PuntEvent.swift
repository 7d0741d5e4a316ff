public import Tables

/// What a worker tells the agent: something was seen that the tables do not say.
///
/// Layout: 32 bytes, copied through the ring `workerToAgent`.
public struct PuntEvent: BitwiseCopyable, Sendable {
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// `mac` was seen as a source behind `place`.
        case macSeen
        /// An ARP packet said that `address` is at `mac`, behind `place`.
        case addressSeen
        /// The same from a gratuitous ARP packet, which may update an entry but not make one.
        case addressAnnounced
        /// A router has told that the way to the VTEP `address` carries `mtu` bytes.
        case pathTooLong
    }

    public var kind: Kind
    public var vsi: UInt16
    public var place: Destination
    public var mac: UInt64
    /// The ARP sender's address, host order; for `macSeen` behind an unknown peer, the outer
    /// source.
    public var address: UInt32
    /// Bytes of an IPv4 packet, for `pathTooLong`; 0 when the router did not say.
    public var mtu: UInt16

    @_noLocks
    public init(
        kind: Kind, vsi: UInt16, place: Destination, mac: UInt64, address: UInt32, mtu: UInt16 = 0
    ) {
        self.kind = kind
        self.vsi = vsi
        self.place = place
        self.mac = mac
        self.address = address
        self.mtu = mtu
    }

    public static let filler = PuntEvent(
        kind: .macSeen, vsi: 0, place: .none, mac: 0, address: 0)
}
