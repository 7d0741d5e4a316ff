/// An IPv4 address with a prefix length (RFC 4632). The address keeps its host bits, so that
/// `10.1.1.1/24` can name both an interface's address and its subnet.
public struct IPv4Prefix: Hashable, Sendable, BitwiseCopyable {
    public var address: IPv4Address
    /// 0...32.
    public var length: UInt8

    /// - Precondition: `length` is at most 32.
    public init(address: IPv4Address, length: UInt8) {
        precondition(length <= 32, "a prefix length is at most 32")
        self.address = address
        self.length = length
    }

    /// The network mask, host order.
    public var mask: UInt32 {
        @_noLocks get { length == 0 ? 0 : UInt32.max &<< UInt32(32 &- length) }
    }

    /// The address with its host bits cleared.
    public var network: IPv4Address { @_noLocks get { IPv4Address(bits: address.bits & mask) } }

    /// The directed broadcast address; for /31 (RFC 3021) and /32 there is none, and the last
    /// address of the prefix is given.
    public var lastAddress: IPv4Address {
        @_noLocks get { IPv4Address(bits: address.bits | ~mask) }
    }

    @_noLocks
    public func contains(_ other: IPv4Address) -> Bool { other.bits & mask == address.bits & mask }

    /// An address of the prefix that a host may have: neither that of the network nor the broadcast
    /// address, which a /31 (RFC 3021) and a /32 do not have.
    @_noLocks
    public func mayHold(_ host: IPv4Address) -> Bool {
        contains(host) && (length >= 31 || (host != network && host != lastAddress))
    }

    /// One of the two covers the other.
    @_noLocks
    public func overlaps(_ other: IPv4Prefix) -> Bool {
        length <= other.length ? contains(other.address) : other.contains(address)
    }
}

extension IPv4Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// `address/length`, as in `10.1.1.1/24`; a bare address is taken as /32.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPv4Address(String(first)) else { return nil }
        guard parts.count == 2 else {
            guard parts.count == 1 else { return nil }
            self.init(address: address, length: 32)
            return
        }
        guard (1...2).contains(parts[1].utf8.count), let length = UInt8(parts[1]), length <= 32
        else {
            return nil
        }
        self.init(address: address, length: length)
    }

    public var description: String { "\(address)/\(length)" }
}
