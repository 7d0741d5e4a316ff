internal import Control
internal import Dataplane
internal import Wire

/// What a router has told of the way to one peer.
struct ReportedPath {
    /// Bytes of an IPv4 packet.
    let mtu: Int
    /// Nanoseconds of the monotonic clock. The way may have become longer since.
    let expiry: UInt64
}

/// How long the ways to peers are (RFC 1191): what the kernel knows of them, and on a tap, whose
/// packets are no socket's, what routers tell the VTEP itself.
extension GatewayCore {
    /// Ten minutes, as RFC 1191 section 6.3 recommends.
    private static let reportNanoseconds: UInt64 = 600_000_000_000
    /// What the kernel takes as the least (`net.ipv4.route.min_pmtu`): a forged message shall not
    /// stop a peer.
    private static let leastMTU = 552

    /// A message from the underlay, which anybody can send; that it quotes our own packet to a peer
    /// has been checked.
    func pathIsShort(_ address: UInt32, mtu: UInt16) {
        guard agent.peerIndexes[IPv4Address(bits: address)] != nil else { return }
        reportedPaths[address] = ReportedPath(
            mtu: max(Int(mtu), Self.leastMTU), expiry: now &+ Self.reportNanoseconds)
        updatePaths()
    }

    /// Where the routes to the peers say how long packets may be, there may have been none when the
    /// gateway began: a routing protocol comes up after it. Asks again every second until one is
    /// there; later changes show with the next change of a link.
    func watchRoutes() {
        guard agent.environment.underlayMTU == 0, underlay.boundingDevice == nil,
            now &- lastRouteCheck > 1_000_000_000
        else { return }
        lastRouteCheck = now
        var environment = agent.environment
        environment.underlayMTU = underlay.mtu(to: configuration.peers.map(\.address))
        guard environment.underlayMTU > 0 else { return }
        agent.update(environment, now: now)
    }

    /// Asks how long the paths are to which sends have been refused as too long.
    func watchPaths() {
        let refused = accounts.value(CounterLayout.index(.txEmsgsize))
        let isDue = now &- lastPathCheck > 10_000_000_000
        guard refused != seenTooLong || (isDue && !agent.pathMTUs.isEmpty) else { return }
        seenTooLong = refused
        updatePaths()
    }

    private func updatePaths() {
        lastPathCheck = now
        let moment = now
        reportedPaths = reportedPaths.filter { $0.value.expiry > moment }
        for (address, index) in agent.peerIndexes {
            let ways = [underlay.pathMTU(to: address.bits), reportedPaths[address.bits]?.mtu]
            let mtu = ways.compactMap(\.self).min() ?? 0
            let isShorter = mtu > 0 && mtu < agent.environment.underlayMTU
            agent.setPathMTU(isShorter ? mtu : 0, peer: index)
        }
    }
}
