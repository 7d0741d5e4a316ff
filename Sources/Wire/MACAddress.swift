/// A 48-bit IEEE 802 address. The first octet on the wire is the most significant of `bits`.
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
    /// The address as an integer below 2^48.
    public var bits: UInt64

    /// Takes the low 48 bits of `bits`.
    @_noLocks
    public init(bits: UInt64) { self.bits = bits & 0xFFFF_FFFF_FFFF }

    public static let zero = MACAddress(bits: 0)
    public static let broadcast = MACAddress(bits: 0xFFFF_FFFF_FFFF)

    /// The I/G bit of the first octet: a multicast or the broadcast address (IEEE 802-2014, 8.2.2).
    public var isGroup: Bool { @_noLocks get { bits & 0x0100_0000_0000 != 0 } }

    public var isZero: Bool { @_noLocks get { bits == 0 } }

    public var isBroadcast: Bool { @_noLocks get { bits == 0xFFFF_FFFF_FFFF } }

    /// 01:80:c2:00:00:00 to 0f, which a bridge never forwards (IEEE 802.1D-2004, table 7-10).
    public var isLinkLocalGroup: Bool {
        @_noLocks get { bits & 0xFFFF_FFFF_FFF0 == 0x0180_C200_0000 }
    }
}

extension MACAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Six hexadecimal octets separated by colons or hyphens, as in `02:aa:00:00:00:01`.
    public init?(_ description: String) {
        let octets = description.split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == ":" || $0 == "-" })
        guard octets.count == 6 else { return nil }
        var bits: UInt64 = 0
        for octet in octets {
            guard (1...2).contains(octet.utf8.count), octet.allSatisfy(\.isHexDigit),
                let value = UInt8(octet, radix: 16)
            else { return nil }
            bits = bits << 8 | UInt64(value)
        }
        self.init(bits: bits)
    }

    public var description: String {
        unsafe String(unsafeUninitializedCapacity: 17) { text in
            for index in 0..<6 {
                let octet = UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * index))
                unsafe text[3 * index] = Self.digit(octet >> 4)
                unsafe text[3 * index + 1] = Self.digit(octet & 15)
                if index < 5 { unsafe text[3 * index + 2] = UInt8(ascii: ":") }
            }
            return 17
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
