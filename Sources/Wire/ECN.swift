/// Explicit congestion notification across the tunnel (RFC 6040, which RFC 9601 extends to VXLAN).
///
/// A codepoint is the low two bits of the IPv4 type of service or IPv6 traffic class
/// (RFC 3168 section 5): 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.
public enum ECN {
    public static var notCapable: UInt8 { @_noLocks get { 0 } }
    public static var capable1: UInt8 { @_noLocks get { 1 } }
    public static var capable0: UInt8 { @_noLocks get { 2 } }
    public static var congestionExperienced: UInt8 { @_noLocks get { 3 } }

    /// The outer codepoint of an encapsulated packet: a copy, CE included (normal mode, RFC 6040
    /// section 4.1). A frame without IP inside is given Not-ECT.
    @_noLocks
    public static func encapsulated(inner: UInt8) -> UInt8 { inner & 3 }

    /// The inner codepoint after decapsulation, or nil when the packet must be dropped: a router
    /// marked congestion on a packet whose ends would not understand it (RFC 6040 section 4.2,
    /// figure 4).
    ///
    /// Each row of the constant is one inner codepoint, its two-bit fields from the right the
    /// results for outer Not-ECT, ECT(1), ECT(0), CE.
    @_noLocks
    public static func decapsulated(inner: UInt8, outer: UInt8) -> UInt8? {
        let inner = inner & 3
        let outer = outer & 3
        if inner == notCapable && outer == congestionExperienced { return nil }
        let notCapableRow: UInt32 = 0b00_00_00_00
        let capable1Row: UInt32 = 0b11_01_01_01
        let capable0Row: UInt32 = 0b11_10_01_10
        let experiencedRow: UInt32 = 0b11_11_11_11
        let table =
            notCapableRow | capable1Row &<< 8 | capable0Row &<< 16 | experiencedRow &<< 24
        return UInt8(truncatingIfNeeded: table &>> (UInt32(inner) &* 8 &+ UInt32(outer) &* 2)) & 3
    }
}
