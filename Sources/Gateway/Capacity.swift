internal import Control
internal import Dataplane

/// How much of everything one gateway holds: the widths of indexes and the sizes of counter pages.
enum Capacity {
    /// Peers a file may name; the rest of the indexes is for those that traffic makes known.
    static let peers = 60_000

    /// - Throws: what there is too much of.
    static func check(_ configuration: Configuration) throws(GatewayError) {
        let devices = configuration.withNativePorts().deviceKeys.count
        let limits: [(name: String, count: Int, limit: Int)] = [
            ("vsis", configuration.vsis.count, CounterLayout.maximumVSIs),
            ("peers", configuration.peers.count, peers),
            ("access-ports", configuration.accessPorts.count, CounterLayout.maximumPorts),
            ("policy-routes", configuration.policyRoutes.count, CounterLayout.maximumPolicies),
            ("devices of access-ports", devices, Worker.maximumDevices),
        ]
        for (name, count, limit) in limits where count > limit {
            throw GatewayError(
                "\(count) \(name) are more than the \(limit) of one gateway: split them")
        }
    }
}
