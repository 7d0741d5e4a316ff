internal import Tables

/// Where a host that has just come to a port of this gateway was before.
struct HostArrival {
    let previous: Destination
    /// Monotonic, nanoseconds.
    let end: UInt64
}

/// Hosts that have just come, by neighbor key.
///
/// What the gateway they came from still has under way in their name says that they are where they
/// were. Believed, it would send a host's packets back to a gateway that knows better and returns
/// them, until the host speaks again. For 150 ms that gateway alone is not believed; longer than a
/// datagram is under way, shorter than a host needs to move back.
extension Agent {
    static let arrivalNanoseconds: UInt64 = 150_000_000
    private static let maximumArrivals = 16_384

    /// Whether a claim is older than what the host itself has said here. Notes a host that is heard
    /// at a port and was behind a peer.
    func isLate(_ key: UInt64, at place: Destination, now: UInt64) -> Bool {
        let known = egress(of: neighborValue(key) ?? 0)
        guard place.isPort else {
            guard known.isPort, let arrival = arrivals[key] else { return false }
            return now < arrival.end && arrival.previous.bits == place.bits
        }
        guard known.isPeer else { return false }
        if arrivals.count >= Self.maximumArrivals / 16 {
            arrivals = arrivals.filter { $0.value.end > now }
        }
        guard arrivals.count < Self.maximumArrivals else { return false }
        arrivals[key] = HostArrival(previous: known, end: now + Self.arrivalNanoseconds)
        return false
    }
}
