/// Values of the type field of an Ethernet frame (IEEE 802 numbers).
public enum EtherType {
    public static var ipv4: UInt16 { @_noLocks get { 0x0800 } }
    public static var arp: UInt16 { @_noLocks get { 0x0806 } }
    public static var ipv6: UInt16 { @_noLocks get { 0x86DD } }
    /// A customer VLAN tag follows (IEEE 802.1Q).
    public static var customerTag: UInt16 { @_noLocks get { 0x8100 } }
    /// A service VLAN tag follows (IEEE 802.1ad).
    public static var serviceTag: UInt16 { @_noLocks get { 0x88A8 } }
    public static var mplsUnicast: UInt16 { @_noLocks get { 0x8847 } }
    public static var mplsMulticast: UInt16 { @_noLocks get { 0x8848 } }

    /// The four bytes after a field of this value are a VLAN tag and the next type.
    @_noLocks
    public static func isTag(_ value: UInt16) -> Bool { value == 0x8100 || value == 0x88A8 }
}

/// An Ethernet II header and the 802.1Q tag that may follow it.
///
/// Layout: destination 6, source 6, type 2; with a tag: TPID 2 in place of the type, then
/// priority 3 bits, DEI 1 bit, VLAN identifier 12 bits, type 2 (IEEE 802.1Q-2018 clause 9).
public struct EthernetHeader {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var destination: Int { @_noLocks get { 0 } }
        static var source: Int { @_noLocks get { 6 } }
        static var etherType: Int { @_noLocks get { 12 } }
        static var tagControl: Int { @_noLocks get { 14 } }
        static var innerType: Int { @_noLocks get { 16 } }
    }

    public enum Check {
        case valid
        /// Fewer than 14 bytes, or fewer than 18 with a tag.
        case truncated
    }

    public static var byteCount: Int { @_noLocks get { 14 } }
    public static var tagByteCount: Int { @_noLocks get { 4 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    // Both addresses of a frame with a whole header, as two overlapping words of eight octets.

    @_noLocks @inline(__always)
    public static func destination(of frame: FrameView) -> UInt64 {
        frame.loadUInt64(at: 0) &>> 16
    }

    @_noLocks @inline(__always)
    public static func source(of frame: FrameView) -> UInt64 {
        frame.loadUInt64(at: 4) & 0xFFFF_FFFF_FFFF
    }

    /// Only after `valid` may the fields be asked, and those of the tag only when `isTagged`.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard !isTagged || frame.holds(Self.byteCount &+ Self.tagByteCount, at: offset) else {
            return .truncated
        }
        return .valid
    }

    public var destination: MACAddress {
        @_noLocks get { frame.loadMACAddress(at: offset &+ Field.destination) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.destination) }
    }

    public var source: MACAddress {
        @_noLocks get { frame.loadMACAddress(at: offset &+ Field.source) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.source) }
    }

    /// The type field; the tag protocol identifier when there is a tag.
    public var etherType: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.etherType) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.etherType) }
    }

    /// A customer or service tag follows the addresses.
    public var isTagged: Bool { @_noLocks get { EtherType.isTag(etherType) } }

    /// 0...4095; 0 is a priority tag, which names no VLAN.
    public var vlanIdentifier: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.tagControl) & 0x0FFF }
        @_noLocks nonmutating set {
            let control = frame.loadUInt16(at: offset &+ Field.tagControl)
            frame.store(control & 0xF000 | newValue & 0x0FFF, at: offset &+ Field.tagControl)
        }
    }

    /// 0...7.
    public var vlanPriority: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.tagControl) &>> 5 }
    }

    /// The type after the first tag; it may itself be a tag.
    public var innerEtherType: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.innerType) }
    }

    @_noLocks
    public func emit(destination: MACAddress, source: MACAddress, etherType: UInt16) {
        self.destination = destination
        self.source = source
        self.etherType = etherType
    }

    /// The frame without its first tag: the addresses move up four bytes and the frame starts
    /// there. A frame too short for a tag is given back as it is.
    @_noLocks
    public static func withoutTag(_ frame: FrameView) -> FrameView {
        guard frame.holds(byteCount &+ tagByteCount, at: 0) else { return frame }
        let destination = frame.loadMACAddress(at: 0)
        let source = frame.loadMACAddress(at: Field.source)
        let stripped = frame.dropFirst(tagByteCount)
        stripped.store(destination, at: 0)
        stripped.store(source, at: Field.source)
        return stripped
    }

    /// Puts a customer tag into the frame that starts four bytes into `frame`: the addresses move
    /// down into those four bytes. False when there is no room for both.
    @_noLocks
    public static func insertTag(
        _ frame: FrameView, vlanIdentifier: UInt16, priority: UInt8
    ) -> Bool {
        guard frame.holds(byteCount &+ tagByteCount, at: 0) else { return false }
        let destination = frame.loadMACAddress(at: tagByteCount)
        let source = frame.loadMACAddress(at: tagByteCount &+ Field.source)
        frame.store(destination, at: 0)
        frame.store(source, at: Field.source)
        frame.store(EtherType.customerTag, at: Field.etherType)
        let control = UInt16(priority & 7) &<< 13 | vlanIdentifier & 0x0FFF
        frame.store(control, at: Field.tagControl)
        return true
    }
}
