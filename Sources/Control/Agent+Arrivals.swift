internal import Tables

/// Hosts that have just come to a port of this gateway, by neighbor key, and until when.
///
/// When a host moves here, what other gateways still have under way in its name says that it is
/// where it was. Believed, it would send the host's packets back to a gateway that knows better and
/// returns them, until the host speaks again. For a second nobody else has who has just been heard
/// here; longer than a datagram is under way, shorter than a host needs to move again.
extension Agent {
    static let arrivalNanoseconds: UInt64 = 1_000_000_000
    private static let maximumArrivals = 16_384

    /// Whether a claim of a peer is older than what the host itself has said here. Notes a host
    /// that is heard at a port where it was not known.
    func isLate(_ key: UInt64, at place: Destination, now: UInt64) -> Bool {
        let value = neighborValue(key) ?? 0
        let isHere = egress(of: value).isPort
        guard place.isPort else {
            guard isHere, let end = arrivals[key] else { return false }
            return now < end
        }
        guard !isHere else { return false }
        if arrivals.count >= Self.maximumArrivals / 16 {
            arrivals = arrivals.filter { $0.value > now }
        }
        guard arrivals.count < Self.maximumArrivals else { return false }
        arrivals[key] = now + Self.arrivalNanoseconds
        return false
    }
}
