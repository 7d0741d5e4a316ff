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
    }

    /// A host by its segment. All segments use the same MAC addresses, and VRFs the same IP
    /// addresses, so that a frame in the wrong place is not noticed by chance.
    public struct Home: Sendable {
        /// -1 is the outside, behind the border's native port.
        public var vsi: Int
        public var number: Int
        public var gateway: Int
        public var attacks = false
    }

    public let seed: UInt64
    public var mode = Mode.distributed
    public var gatewayCount = 2
    public var vrfCount = 1
    public var vsiCount = 1
    public var homes: [Home] = []
    public var sharesMAC = false
    public var hasBorder = false
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

    public init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed &* 2 &+ 1)
        mode = random.int(in: 0...9) < 6 ? .distributed : random.bool() ? .bridged : .centralized
        gatewayCount = random.bool() ? random.int(in: 2...4) : random.int(in: 2...16)
        vrfCount = random.int(in: 1...3)
        vsiCount = random.int(in: vrfCount...max(vrfCount, 5))
        sharesMAC = random.bool()
        hasBorder = mode == .distributed && gatewayCount > 2 && random.bool()
        suppressesARP = random.bool()
        macLimit = random.int(in: 0...4) == 0 ? random.int(in: 2...20) : 0
        drawFaults(&random)
        drawHomes(&random)
    }

    /// The gateways that have hosts: the border has none.
    public var siteCount: Int { hasBorder ? gatewayCount - 1 : gatewayCount }

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
                homes.append(
                    Home(vsi: vsi, number: number, gateway: random.int(in: 0...siteCount - 1)))
            }
            guard random.int(in: 0...3) == 0 else { continue }
            homes.append(
                Home(
                    vsi: vsi, number: count, gateway: random.int(in: 0...siteCount - 1),
                    attacks: true))
        }
        if hasBorder { homes.append(Home(vsi: -1, number: 0, gateway: gatewayCount - 1)) }
    }

    func vrf(ofVSI vsi: Int) -> Int { vsi < 0 ? 0 : vsi % vrfCount }

    /// Who may hear whom: a segment where nothing is routed, else a VRF.
    func mayTalk(_ left: Int, _ right: Int) -> Bool {
        mode == .bridged ? left == right : vrf(ofVSI: left) == vrf(ofVSI: right)
    }
}
