import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// Which VSI-interface pings an address.
@Suite struct AgentPingTests {
    typealias Site = TestSite

    private func address(_ text: String) -> IPv4Address { IPv4Address(text)! }

    private var bench: AgentBench {
        var configuration = Site.routed
        func route(_ prefix: String, _ via: [String], onlink: String? = nil) {
            configuration.staticRoutes.append(
                .init(
                    prefix: IPv4Prefix(prefix)!, via: via.map(address), interface: onlink,
                    vrf: "red", onlink: onlink != nil, blackhole: via.isEmpty))
        }
        route("0.0.0.0/0", ["10.0.20.9"])
        route("172.16.0.0/12", ["10.0.10.9"])
        route("172.16.5.0/24", [])
        route("192.168.0.0/16", ["203.0.113.1"], onlink: "g20")
        return AgentBench(configuration)
    }

    @Test(arguments: [
        ("10.0.10.101", "v10", "10.0.10.1"), ("10.0.20.5", "v20", "10.0.20.1"),
        ("10.0.20.1", "v20", "10.0.20.1"), ("8.8.8.8", "v20", "10.0.20.1"),
        ("172.17.0.1", "v10", "10.0.10.1"), ("192.168.3.4", "v20", "10.0.20.1"),
    ])
    func theLongestPrefixChooses(target: String, vsi: String, source: String) throws {
        let bench = bench
        let origin = try bench.agent.pingOrigin(
            to: address(target), vrf: "red", interface: nil)
        #expect(
            origin
                == PingOrigin(
                    vsi: bench.vsi(vsi), source: address(source), mac: Site.gatewayMAC))
    }

    @Test func aNamedInterfaceIsTaken() throws {
        let bench = bench
        for vrf in [nil, "red"] {
            let origin = try bench.agent.pingOrigin(
                to: address("10.0.10.5"), vrf: vrf, interface: "g20")
            #expect(origin.vsi == bench.vsi("v20") && origin.source == Site.gateway20)
        }
    }

    @Test func whatCannotBePingedIsToldWithoutAPacket() {
        let bench = bench
        func refused(
            _ target: String, _ vrf: String?, _ interface: String? = nil
        ) -> ControlError? {
            do throws(ControlError) {
                _ = try bench.agent.pingOrigin(
                    to: address(target), vrf: vrf, interface: interface)
                return nil
            } catch {
                return error
            }
        }
        let route = "see vxgate show route"
        #expect(
            refused("172.16.5.1", "red")
                == .conflict("vrf red has only a blackhole route to 172.16.5.1: \(route)"))
        #expect(
            refused("8.8.8.8", "blue") == .conflict("vrf blue has no route to 8.8.8.8: \(route)"))
        #expect(
            refused("10.0.10.101", nil)
                == .conflict("vrf default has no route to 10.0.10.101: \(route)"))
        #expect(
            refused("10.0.10.1", "green")
                == .notFound("no vrf green: see vxgate config show"))
        #expect(
            refused("10.0.10.1", nil, "g99")
                == .notFound("no vsi-interface g99: see vxgate config show"))
        #expect(
            refused("10.0.10.1", "blue", "g10")
                == .conflict(
                    "vsi-interface g10 is in vrf red: leave out --vrf or name that"))
        for edge in ["10.0.10.0", "10.0.10.255"] {
            #expect(
                refused(edge, "red") == .malformed("\(edge) is no host's address in 10.0.10.1/24"))
        }
    }

    @Test func whatItCouldNotSendIsKeptForWhoSentIt() {
        let bench = bench
        bench.agent.icmpError(
            type: 3, code: 1, mtu: 0, about: [1, 2, 3], vsi: bench.vsi("v10"), place: .own(0))
        let refusals = bench.agent.takeRefusals()
        #expect(refusals.map(\.bytes) == [[1, 2, 3]] && refusals.map(\.code) == [1])
        #expect(bench.agent.takeRefusals().isEmpty && bench.agent.takeOrders().isEmpty)
    }

    @Test func limits() throws {
        func isTaken(_ change: (inout PingRequest) -> Void) -> Bool {
            var request = PingRequest(address: address("10.1.1.1"))
            change(&request)
            return (try? request.check()) != nil
        }
        #expect(isTaken { _ in })
        #expect(
            isTaken {
                $0.count = 100
                $0.intervalMilliseconds = 10
            })
        #expect(
            !isTaken {
                $0.count = 101
                $0.intervalMilliseconds = 10
            })
        #expect(!isTaken { $0.count = 0 })
        #expect(!isTaken { $0.count = 100 }, "longer than a client waits")
        #expect(isTaken { $0.size = 8972 } && !isTaken { $0.size = 8973 })
        #expect(isTaken { $0.size = 0 } && !isTaken { $0.size = -1 })
        #expect(!isTaken { $0.timeoutMilliseconds = 9 })
        #expect(!isTaken { $0.sequence = 65_536 })
        for text in ["224.0.0.1", "0.0.0.0", "127.0.0.1", "255.255.255.255", "169.254.1.1"] {
            #expect(!isTaken { $0.address = address(text) }, "\(text)")
        }
    }
}
