internal import TestKit

/// What one seed stands for: how many gateways, which role they play, who lives behind them and
/// what goes wrong. Each seed draws every parameter anew, so that rare ones meet each other.
public struct Plan: Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// No gateway address at all: VXLAN segments and nothing else.
        case bridged
        /// One gateway routes for all, the others bridge.
        case centralized
        /// Every gateway routes for its own hosts (local proxy ARP).
        case distributed
        /// Segments of one site each, and onlink routes across a VXLAN between the gateways.
        case pointToPoint
    }

    /// How a gateway that is not a border sends to the outside.
    public enum WayOut: String, Sendable, CaseIterable {
        /// A static route, over both borders when there are two.
        case route
        /// Policy routes for everybody, and no route.
        case policy
        /// A policy for some sources, which goes before the route.
        case both
    }

    /// A host by its segment. All segments use the same MAC addresses, and VRFs the same IP
    /// addresses, so that a frame in the wrong place is not noticed by chance.
    public struct Home: Sendable {
        /// -1 is the outside, behind the border's native port.
        public var vsi: Int
        public var number: Int
        public var gateway: Int
        public var attacks = false
        /// Outside, in a range that gateways have a blackhole route for.
        public var isBlackholed = false
    }

    public let seed: UInt64
    public var mode = Mode.distributed
    public var gatewayCount = 2
    public var vrfCount = 1
    public var vsiCount = 1
    public var homes: [Home] = []
    public var sharesMAC = false
    /// Gateways without hosts that lead outside.
    public var borderCount = 0
    /// Of the central gateway.
    public var hasOutside = false
    public var wayOut = WayOut.route
    public var hasBlackhole = false
    public var suppressesARP = false
    /// 0 is no limit.
    public var macLimit = 0

    /// Of a thousand datagrams on the underlay.
    public var lossPermille = 0
    public var duplicatePermille = 0
    /// Every datagram takes between the two.
    public var minimumDelayMicroseconds = 100
    public var maximumDelayMicroseconds = 1000
    /// How long the agent may take to hear what the worker has to tell.
    public var agentDelayMicroseconds = 0
    public var faultSeconds = 20
    /// Faults of a kind in `faultSeconds`.
    public var moveCount = 0
    public var restartCount = 0
    public var partitionCount = 0
    public var flapCount = 0
    public var reloadCount = 0

    public init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed &* 2 &+ 1)
        mode = random.int(in: 0...9) < 6 ? .distributed : random.bool() ? .bridged : .centralized
        gatewayCount = random.bool() ? random.int(in: 2...4) : random.int(in: 2...16)
        vrfCount = random.int(in: 1...3)
        vsiCount = random.int(in: vrfCount...max(vrfCount, 5))
        sharesMAC = random.bool()
        if mode == .distributed, gatewayCount > 2, random.bool() { borderCount = 1 }
        suppressesARP = random.bool()
        macLimit = random.int(in: 0...4) == 0 ? random.int(in: 2...20) : 0
        drawFaults(&random)
        drawRoutes()
        drawHomes(&random)
    }

    /// The gateways that have hosts: a border has none.
    public var siteCount: Int { gatewayCount - borderCount }

    /// The gateways with a native port.
    public var outsideGateways: [Int] { hasOutside ? [0] : Array(siteCount..<gatewayCount) }

    /// What came to the plans later is drawn apart, so that seeds keep the rest of their story.
    private mutating func drawRoutes() {
        var random = SeededRandom(seed: seed &* 2 &+ 0x524F_5554_4553_0001)
        if random.int(in: 0...6) == 0 {
            mode = .pointToPoint
            borderCount = 0
        }
        if borderCount > 0, gatewayCount > 3, random.bool() { borderCount = 2 }
        hasOutside = mode == .centralized && random.bool()
        wayOut = WayOut.allCases.randomElement(using: &random)!
        hasBlackhole = random.bool()
        reloadCount = random.bool() ? 0 : random.int(in: 1...8)
    }

    private mutating func drawFaults(_ random: inout SeededRandom) {
        lossPermille = random.bool() ? 0 : random.int(in: 0...300)
        duplicatePermille = random.bool() ? 0 : random.int(in: 0...500)
        if random.bool() {
            maximumDelayMicroseconds = random.int(in: 1...100) * 1000
        }
        agentDelayMicroseconds = random.bool() ? 0 : random.int(in: 1...20_000)
        faultSeconds = random.int(in: 5...25)
        moveCount = random.bool() ? 0 : random.int(in: 1...8)
        restartCount = random.bool() ? 0 : random.int(in: 1...4)
        partitionCount = random.bool() ? 0 : random.int(in: 1...4)
        flapCount = random.bool() ? 0 : random.int(in: 1...4)
    }

    private mutating func drawHomes(_ random: inout SeededRandom) {
        for vsi in 0..<vsiCount {
            let count = random.int(in: 2...6)
            for number in 0..<count {
                let gateway = random.int(in: 0...siteCount - 1)
                homes.append(
                    Home(vsi: vsi, number: number, gateway: onlySite(of: vsi) ?? gateway))
            }
            guard random.int(in: 0...3) == 0 else { continue }
            let gateway = random.int(in: 0...siteCount - 1)
            homes.append(
                Home(
                    vsi: vsi, number: count, gateway: onlySite(of: vsi) ?? gateway, attacks: true))
        }
        guard !outsideGateways.isEmpty else { return }
        for number in 0..<(hasBlackhole ? 3 : 2) {
            homes.append(
                Home(
                    vsi: -1, number: number,
                    gateway: outsideGateways[number % outsideGateways.count],
                    isBlackholed: number == 2))
        }
    }

    /// The gateway that has a segment alone, nil where segments are stretched.
    func onlySite(of vsi: Int) -> Int? { mode == .pointToPoint ? vsi % gatewayCount : nil }

    /// The VXLAN between gateways of a VRF, numbered behind the segments.
    func transit(ofVRF vrf: Int) -> Int { vsiCount + vrf }

    func vrf(ofVSI vsi: Int) -> Int {
        vsi < 0 ? 0 : vsi >= vsiCount ? vsi - vsiCount : vsi % vrfCount
    }

    /// Who may hear whom: a segment where nothing is routed, else a VRF.
    func mayTalk(_ left: Int, _ right: Int) -> Bool {
        mode == .bridged ? left == right : vrf(ofVSI: left) == vrf(ofVSI: right)
    }
}
