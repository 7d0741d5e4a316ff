import Glibc
import Testing
import Uring

/// The routed tap of the underlay, in a namespace of its own.
@Suite(.enabled(if: Lab.isPermitted, Lab.cause))
struct UnderlayTapTests {
    private let address: UInt32 = 0xC633_6401  // 198.51.100.1

    private func make(_ lab: Lab, queues: Int = 2) throws -> UnderlayTap {
        let address = address
        return try NetworkNamespace.run(in: lab.namespaces[0]) { () throws(UringError) in
            try UnderlayTap(name: "u0", address: address, queues: queues)
        }
    }

    private func says(_ lab: Lab, _ command: String, _ word: String) -> Bool {
        Lab.run("ip -n \(lab.namespaces[0]) \(command) | grep -qF -- '\(word)'")
    }

    @Test func hasARouteAndNoARPAndGoesAway() throws {
        let lab = try Lab(namespaces: 1)
        let tap = try make(lab)
        #expect(tap.device.descriptors.count == 2)
        #expect(says(lab, "route get 198.51.100.1", "dev u0"))
        #expect(says(lab, "link show u0", "NOARP,UP"))
        #expect(says(lab, "link show u0", "mtu 65521"))
        #expect(says(lab, "link show u0", "02:00:56:58:00:01"))
        #expect(!says(lab, "-6 address show dev u0", "inet6"))
        try NetworkNamespace.run(in: lab.namespaces[0]) { () throws(UringError) in
            try tap.routeToVTEP()
            try tap.remove()
        }
        #expect(!says(lab, "link show u0", "u0"))
        #expect(!says(lab, "route show", "198.51.100.1"))
    }

    /// Kernels without tunnel offloads get the short header; this says which one we are on.
    @Test func theHeaderIsAsLongAsTheOffloadsNeed() throws {
        let lab = try Lab(namespaces: 1)
        let tap = try make(lab)
        let hasTunnels = tap.device.offloads.contains(.tunnels)
        #expect(tap.device.headerByteCount == (hasTunnels ? 24 : 10))
        print("tunnel offloads: \(hasTunnels)")
        let plain = try TapDevice(
            name: "u1", namespace: lab.namespaces[0], wantsOffloads: false, purpose: .routed)
        #expect(plain.headerByteCount == 10 && plain.offloads == [])
    }

    @Test func refusesAnAddressOfTheHostAndATakenName() throws {
        let lab = try Lab(namespaces: 1)
        try Lab.require("ip -n \(lab.namespaces[0]) address add 198.51.100.1/32 dev lo")
        let own = try #require(throws: UringError.self) { _ = try make(lab) }
        #expect(own.description.contains("198.51.100.1 is an address of this host (lo)"))
        #expect(own.remedy.contains("ip address delete 198.51.100.1 dev lo"))
        #expect(!says(lab, "link show", "u0"))
        try Lab.require("ip -n \(lab.namespaces[0]) address del 198.51.100.1/32 dev lo")
        let tap = try make(lab)
        let taken = try #require(throws: UringError.self) { _ = try make(lab) }
        #expect(taken.code == EBUSY && tap.device.name == "u0")
    }
}
