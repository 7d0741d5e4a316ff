import Glibc
import Synchronization
import Testing

/// Network namespaces of one test: named after the process and a counter, removed at the end.
final class Lab {
    let left: String
    let right: String
    private static let serial = Atomic<Int>(0)

    /// Why tests with devices cannot run here; nil when they can. Tests name it when they skip.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "needs root" }
        let name = "vxg\(getpid())probe"
        guard run("ip netns add \(name)") else { return "network namespaces are not permitted" }
        run("ip netns delete \(name)")
        return nil
    }()

    static var isPermitted: Bool { obstacle == nil }

    /// What a skipped test says.
    static var cause: Comment { Comment(rawValue: obstacle ?? "") }

    /// Two namespaces and a veth pair, `a0` with 10.77.0.1/24 in `left` and `b0` with 10.77.0.2/24
    /// in `right`.
    init() throws {
        let number = Self.serial.add(1, ordering: .relaxed).newValue
        left = "vxg\(getpid())l\(number)"
        right = "vxg\(getpid())r\(number)"
        for name in [left, right] {
            try Self.require("ip netns add \(name)")
            // The namespace's own chatter would be in the counts of its devices.
            try Self.require("ip netns exec \(name) sysctl -w net.ipv6.conf.default.disable_ipv6=1")
        }
        try connect("a0", left, "b0", right)
        try Self.require("ip -n \(left) address add 10.77.0.1/24 dev a0")
        try Self.require("ip -n \(right) address add 10.77.0.2/24 dev b0")
    }

    deinit {
        Self.run("ip netns delete \(left)")
        Self.run("ip netns delete \(right)")
    }

    /// A veth pair, both ends up.
    func connect(_ one: String, _ here: String, _ other: String, _ there: String) throws {
        try Self.require(
            "ip link add \(one) netns \(here) mtu 9300 type veth"
                + " peer name \(other) netns \(there) mtu 9300")
        try Self.require("ip -n \(here) link set \(one) up")
        try Self.require("ip -n \(there) link set \(other) up")
    }

    /// The kernel's own VXLAN device at 10.77.0.2, as `vx0` in `right`.
    func addTunnel(vni: Int) throws {
        try Self.require(
            "ip -n \(right) link add vx0 mtu 9200 type vxlan id \(vni) dstport 4789"
                + " local 10.77.0.2 nolearning")
        try Self.require("ip -n \(right) link set vx0 up")
    }

    @discardableResult
    static func run(_ command: String) -> Bool {
        unsafe system("\(command) >/dev/null 2>&1") == 0
    }

    static func require(_ command: String) throws {
        guard run(command) else { throw Obstacle(text: "command failed: \(command)") }
    }

    struct Obstacle: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }
}
