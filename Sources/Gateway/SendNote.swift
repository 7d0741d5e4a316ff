internal import Dataplane
internal import Tables

/// What a send leaves with its operation for the moment it ends: the buffer to free, and where to
/// charge how much.
///
/// Layout, from the lowest bit: slot group 1, buffer 15, place kind 1, place index 16, bytes 17,
/// packets 11, segmented 1.
struct SendNote {
    let bits: UInt64

    @_noLocks
    init(bits: UInt64) { self.bits = bits }

    @_noLocks
    init(slot: UInt32, place: Destination, bytes: Int, packets: Int, isSegmented: Bool) {
        let buffer = UInt64(slot & 0x7FFF) &<< 1 | UInt64(slot &>> 16 & 1)
        let target = UInt64(place.index & 0xFFFF) &<< 1 | (place.isPeer ? 1 : 0)
        let size = UInt64(truncatingIfNeeded: min(bytes, 0x1_FFFF))
        let count = UInt64(truncatingIfNeeded: packets & 0x7FF)
        bits = buffer | target &<< 16 | size &<< 33 | count &<< 50 | (isSegmented ? 1 : 0) &<< 61
    }

    var slot: UInt32 {
        @_noLocks get {
            UInt32(truncatingIfNeeded: bits & 1) &<< 16
                | UInt32(truncatingIfNeeded: bits &>> 1 & 0x7FFF)
        }
    }

    var place: Destination {
        @_noLocks get {
            let index = Int(truncatingIfNeeded: bits &>> 17 & 0xFFFF)
            return bits &>> 16 & 1 == 1 ? .peer(index) : .port(index)
        }
    }

    var bytes: Int { @_noLocks get { Int(truncatingIfNeeded: bits &>> 33 & 0x1_FFFF) } }
    var packets: Int { @_noLocks get { Int(truncatingIfNeeded: bits &>> 50 & 0x7FF) } }
    var isSegmented: Bool { @_noLocks get { bits &>> 61 & 1 == 1 } }

    /// What a failed send is counted under, by its -errno.
    @_noLocks
    static func reason(_ result: Int32) -> DropReason {
        switch -result {
        case 101: .txNoRoute  // ENETUNREACH
        case 113, 111: .txUnreachable  // EHOSTUNREACH, ECONNREFUSED
        case 90: .txEmsgsize  // EMSGSIZE
        case 11: .txRingFull  // EAGAIN
        case 12, 105: .txNoBuffer  // ENOMEM, ENOBUFS
        case 100, 19, 6: .portDown  // ENETDOWN, ENODEV, ENXIO
        default: .txError
        }
    }
}
