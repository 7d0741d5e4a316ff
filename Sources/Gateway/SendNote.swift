internal import Dataplane
internal import Tables

/// What a send leaves with its operation for the moment it ends: the buffer to free, or the group
/// of buffers, and where to charge how much.
///
/// Layout, from the lowest bit: slot group 2 and buffer 14, or the number of a `SlotGroups` group
/// 16; place kind 1, place index 16, bytes 17, packets 11, segmented 1, grouped 1.
struct SendNote {
    let bits: UInt64

    @_noLocks
    init(bits: UInt64) { self.bits = bits }

    /// A send of one lane.
    @_noLocks
    init(slot: UInt32, place: Destination, bytes: Int, packets: Int, isSegmented: Bool) {
        let buffer = UInt64(slot & 0x3FFF) &<< 2 | UInt64(slot &>> 16 & 3)
        bits =
            buffer | Self.charge(place, bytes: bytes, packets: packets)
            | (isSegmented ? 1 : 0) &<< 61
    }

    /// A send of several lanes.
    @_noLocks
    init(group: Int, place: Destination, bytes: Int, packets: Int, isSegmented: Bool) {
        bits =
            UInt64(truncatingIfNeeded: group & 0xFFFF)
            | Self.charge(place, bytes: bytes, packets: packets)
            | (isSegmented ? 1 : 0) &<< 61 | 1 &<< 62
    }

    @_noLocks
    private static func charge(_ place: Destination, bytes: Int, packets: Int) -> UInt64 {
        let target = UInt64(place.index & 0xFFFF) &<< 1 | (place.isPeer ? 1 : 0)
        let size = UInt64(truncatingIfNeeded: min(bytes, 0x1_FFFF))
        let count = UInt64(truncatingIfNeeded: packets & 0x7FF)
        return target &<< 16 | size &<< 33 | count &<< 50
    }

    var slot: UInt32 {
        @_noLocks get {
            UInt32(truncatingIfNeeded: bits & 3) &<< 16
                | UInt32(truncatingIfNeeded: bits &>> 2 & 0x3FFF)
        }
    }

    var group: Int { @_noLocks get { Int(truncatingIfNeeded: bits & 0xFFFF) } }
    var isGrouped: Bool { @_noLocks get { bits &>> 62 & 1 == 1 } }

    var place: Destination {
        @_noLocks get {
            let index = Int(truncatingIfNeeded: bits &>> 17 & 0xFFFF)
            return bits &>> 16 & 1 == 1 ? .peer(index) : .port(index)
        }
    }

    var bytes: Int { @_noLocks get { Int(truncatingIfNeeded: bits &>> 33 & 0x1_FFFF) } }
    var packets: Int { @_noLocks get { Int(truncatingIfNeeded: bits &>> 50 & 0x7FF) } }
    /// UDP_SEGMENT was asked for, which a route may refuse.
    var isSegmented: Bool { @_noLocks get { bits &>> 61 & 1 == 1 } }

    /// What a failed send is counted under, by its -errno.
    @_noLocks
    static func reason(_ result: Int32, isPort: Bool) -> DropReason {
        switch -result {
        case 101: .txNoRoute  // ENETUNREACH
        case 100 where !isPort: .txNoRoute  // ENETDOWN
        case 113, 111: .txUnreachable  // EHOSTUNREACH, ECONNREFUSED
        case 90: .txEmsgsize  // EMSGSIZE
        case 11: .txRingFull  // EAGAIN
        case 12, 105: .txNoBuffer  // ENOMEM, ENOBUFS
        case 100, 19, 6: .portDown  // ENETDOWN, ENODEV, ENXIO
        default: .txError
        }
    }
}
