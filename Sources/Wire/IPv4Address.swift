/// An IPv4 address in host byte order: 10.1.1.1 is 0x0A010101.
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable, Comparable {
    public var bits: UInt32

    @_noLocks
    public init(bits: UInt32) { self.bits = bits }

    public static let any = IPv4Address(bits: 0)
    public static let broadcast = IPv4Address(bits: 0xFFFF_FFFF)

    /// 224.0.0.0/4 (RFC 5771).
    public var isMulticast: Bool { @_noLocks get { bits >> 28 == 0xE } }

    /// 127.0.0.0/8 (RFC 1122 section 3.2.1.3).
    public var isLoopback: Bool { @_noLocks get { bits >> 24 == 127 } }

    /// 169.254.0.0/16 (RFC 3927): never routed.
    public var isLinkLocal: Bool { @_noLocks get { bits >> 16 == 0xA9FE } }

    /// 240.0.0.0/4, the broadcast address included (RFC 1112 section 4).
    public var isReserved: Bool { @_noLocks get { bits >> 28 == 0xF } }

    /// 0.0.0.0/8: "this network" (RFC 1122 section 3.2.1.3).
    public var isThisNetwork: Bool { @_noLocks get { bits >> 24 == 0 } }

    /// May be the source address of a packet that crosses a network.
    public var isUnicastSource: Bool {
        @_noLocks get { !(isThisNetwork || isLoopback || isMulticast || isReserved) }
    }

    @_noLocks
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}

extension IPv4Address: CustomStringConvertible, LosslessStringConvertible {
    /// Four decimal octets without leading zeros, as in `10.1.1.1` (RFC 6943 section 3.1.1,
    /// strict).
    public init?(_ description: String) {
        let octets = description.split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard (1...3).contains(octet.utf8.count),
                octet.utf8.allSatisfy({ (48...57).contains($0) }),
                octet.utf8.count == 1 || octet.first != "0", let value = UInt8(octet)
            else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        self.init(bits: bits)
    }

    public var description: String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }
}
