/// The flow of an inner frame as a number, from which the outer UDP source port is made.
///
/// The network between two VTEPs spreads packets over its links, and a receiving host over its
/// cores, by the outer addresses and ports. Between one pair of VTEPs only the source port can
/// differ, so all entropy of the inner flows has to pass through it (RFC 7348 section 5). Two rules
/// follow. Packets of one flow hash alike, or they would overtake each other; and every bit of the
/// key reaches every bit of the result, because flows often differ in nothing but the low bits of
/// one port or address, and users of the hash keep only some of its bits.
///
/// What a flow is: for IP the addresses, the protocol and the ports; for IPv4 and IPv6 fragments,
/// first ones included, the addresses and the protocol, since later fragments carry no ports and
/// must stay with the first; for MPLS the label stack (RFC 6790 puts entropy there); for anything
/// else the two MAC addresses and the type. A frame too short for its headers is hashed by what it
/// has. The mixing is a folded 64 by 64 bit multiplication for each 16 bytes of key and one to
/// finish; the keys are constants, so a flow keeps its port across workers and restarts.
public enum FlowHash {
    @usableFromInline static var key0: UInt64 { @_noLocks get { 0xA076_1D64_78BD_642F } }
    @usableFromInline static var key1: UInt64 { @_noLocks get { 0xE703_7ED1_A0B4_28DB } }
    @usableFromInline static var key2: UInt64 { @_noLocks get { 0x8EBC_6AF0_9C88_C6E3 } }
    @usableFromInline static var key3: UInt64 { @_noLocks get { 0x5899_65CC_7537_4CC3 } }

    /// Labels looked at; deeper ones rarely exist and no router reads them.
    private static var maximumLabelCount: Int { @_noLocks get { 6 } }

    /// The hash of a frame that starts with its Ethernet header, behind up to two VLAN tags.
    @_noLocks
    public static func hash(frame: FrameView) -> UInt32 {
        guard frame.count >= 14 else { return mixShort(frame) }
        var etherType = frame.loadUInt16(at: 12)
        var layer3Offset = 14
        for _ in 0..<2 {
            guard EtherType.isTag(etherType), frame.count &- layer3Offset >= 4 else { break }
            etherType = frame.loadUInt16(at: layer3Offset &+ 2)
            layer3Offset &+= 4
        }
        return hash(frame: frame, etherType: etherType, layer3Offset: layer3Offset)
    }

    /// - Parameters:
    ///   - etherType: the type after any VLAN tag.
    ///   - layer3Offset: where the header of that type starts; it is not trusted.
    @_noLocks
    public static func hash(frame: FrameView, etherType: UInt16, layer3Offset: Int) -> UInt32 {
        switch etherType {
        case 0x0800:
            if frame.holds(20, at: layer3Offset) { return hashIPv4(frame, layer3Offset) }
        case 0x86DD:
            if frame.holds(40, at: layer3Offset) { return hashIPv6(frame, layer3Offset) }
        case 0x8847, 0x8848:
            if frame.holds(4, at: layer3Offset) { return hashMPLS(frame, layer3Offset) }
        default: break
        }
        return hashAddresses(frame, etherType)
    }

    @_noLocks @inline(__always)
    private static func hashIPv4(_ frame: FrameView, _ offset: Int) -> UInt32 {
        var ports: UInt32 = 0
        let isFragment = frame.loadUInt16(at: offset &+ 6) & 0x3FFF != 0
        if !isFragment && hasPorts(frame.loadUInt8(at: offset &+ 9)) {
            let transport = offset &+ Int(frame.loadUInt8(at: offset) & 15) &* 4
            if frame.holds(4, at: transport) { ports = frame.loadUInt32(at: transport) }
        }
        let destination = frame.loadUInt32(at: offset &+ 16)
        return hashIPv4(
            middle: frame.loadUInt64LowestFirst(at: offset &+ 8),
            last: UInt64(ports.byteSwapped) &<< 32 | UInt64(destination.byteSwapped))
    }

    /// The hash of an IPv4 packet of which the caller has read these words, the first octet lowest.
    /// - Parameters:
    ///   - middle: octets 8 to 15 of the header, of which TTL and checksum do not count.
    ///   - last: the destination and above it the first four octets behind the header if the packet
    ///     is no fragment and its protocol begins with ports, else 0.
    @inlinable @_noLocks @inline(__always)
    public static func hashIPv4(middle: UInt64, last: UInt64) -> UInt32 {
        finish(mix(last, middle & 0xFFFF_FFFF_0000_FF00 ^ key1))
    }

    @_noLocks
    private static func hashIPv6(_ frame: FrameView, _ offset: Int) -> UInt32 {
        var protocolNumber = frame.loadUInt8(at: offset &+ 6)
        var ports: UInt32 = 0
        if hasPorts(protocolNumber) {
            if frame.holds(4, at: offset &+ 40) { ports = frame.loadUInt32(at: offset &+ 40) }
        } else if protocolNumber == 44, frame.holds(8, at: offset &+ 40) {
            protocolNumber = frame.loadUInt8(at: offset &+ 40)
        }
        let source = mix(
            frame.loadUInt64(at: offset &+ 8) ^ key0, frame.loadUInt64(at: offset &+ 16) ^ key1)
        let destination = mix(
            frame.loadUInt64(at: offset &+ 24) ^ key2, frame.loadUInt64(at: offset &+ 32) ^ source)
        return finish(mix(destination ^ key3, lastWord(ports, protocolNumber) ^ key1))
    }

    /// The labels without class and TTL, which may change within a flow, down to the bottom of the
    /// stack. What lies below it is not guessed at (RFC 4928).
    @_noLocks
    private static func hashMPLS(_ frame: FrameView, _ offset: Int) -> UInt32 {
        var state = key0
        var position = offset
        for _ in 0..<maximumLabelCount {
            guard frame.holds(4, at: position) else { break }
            let entry = frame.loadUInt32(at: position)
            state = mix(state ^ UInt64(entry &>> 12), key1)
            if entry & 0x100 != 0 { break }
            position &+= 4
        }
        return finish(state)
    }

    @_noLocks
    private static func hashAddresses(_ frame: FrameView, _ etherType: UInt16) -> UInt32 {
        guard frame.count >= 14 else { return mixShort(frame) }
        let first = frame.loadUInt64(at: 0)
        let second = UInt64(frame.loadUInt32(at: 8)) &<< 16 | UInt64(etherType)
        return finish(mix(first ^ key0, second ^ key1))
    }

    /// A frame without a whole Ethernet header, which is dropped later anyway.
    @_noLocks
    private static func mixShort(_ frame: FrameView) -> UInt32 {
        var state = key0
        for index in 0..<min(frame.count, 14) {
            state = mix(state ^ UInt64(frame.loadUInt8(at: index)), key1)
        }
        return finish(state)
    }

    /// TCP, UDP, DCCP, SCTP and UDP-Lite begin with the ports, ESP with its SPI in their place.
    @_noLocks @inline(__always)
    private static func hasPorts(_ protocolNumber: UInt8) -> Bool {
        switch protocolNumber {
        case 6, 17, 33, 50, 132, 136: return true
        default: return false
        }
    }

    @_noLocks
    private static func lastWord(_ ports: UInt32, _ protocolNumber: UInt8) -> UInt64 {
        UInt64(ports) &<< 8 | UInt64(protocolNumber)
    }

    /// Both halves of the product, one over the other.
    @inlinable @_noLocks @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inlinable @_noLocks @inline(__always)
    static func finish(_ state: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: mix(state, key3) &>> 32)
    }
}
