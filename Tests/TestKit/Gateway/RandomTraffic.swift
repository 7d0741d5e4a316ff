internal import Control
internal import Dataplane
internal import Wire

/// Random packets for a random gateway: what hosts send, what attackers would, and either with bits
/// turned, cut or grown.
public struct RandomTraffic: Sendable {
    private let configuration: Configuration
    /// Stands in the last eight bytes of every frame.
    private var serial: UInt64 = 0

    public init(_ site: RandomSite) { configuration = site.configuration }

    /// The next packet. Its frame ends in its serial number unless it was mutated at its end.
    public mutating func next(_ random: inout SeededRandom) -> Arrival {
        serial += 1
        let isLocal = !configuration.accessPorts.isEmpty && random.bool()
        if isLocal {
            let port = configuration.accessPorts.randomElement(using: &random)!
            return local(port, &random)
        }
        return tunnelled(&random)
    }

    // MARK: Ways in

    private func local(
        _ port: Configuration.AccessPort, _ random: inout SeededRandom
    ) -> Arrival {
        let vsi = configuration.vsis.firstIndex { $0.name == port.vsi }! + 1
        var bytes = frame(vsi, &random)
        var beside: UInt32 = 0
        if let vlan = port.vlan {
            if random.bool() {
                beside = PacketBatch.tagPresent | UInt32(vlan)
            } else {
                insertTag(vlan, into: &bytes)
            }
        } else if random.int(in: 0...9) == 0 {
            insertTag(UInt16([0, 10, 20, 99].randomElement(using: &random)!), into: &bytes)
        }
        mutate(&bytes, &random)
        return .device(port.device, bytes, tag: beside)
    }

    private func tunnelled(_ random: inout SeededRandom) -> Arrival {
        let vsi = random.int(in: 1...configuration.vsis.count)
        var source = configuration.peers.randomElement(using: &random)!.address
        var vni = configuration.vsis[vsi - 1].vni ?? VNI(bits: 0)
        var flags: UInt8 = 8
        switch random.int(in: 0...19) {
        case 0: source = TestSite.stranger
        case 1: source = [TestSite.vtep, .any, .broadcast].randomElement(using: &random)!
        case 2: vni = VNI(bits: UInt32(random.int(in: 0...0xFF_FFFF)))
        case 3: flags = UInt8(random.int(in: 0...255))
        default: break
        }
        var bytes = frame(vsi, &random)
        if random.int(in: 0...9) == 0 { insertTag(10, into: &bytes) }
        mutate(&bytes, &random)
        var packet = FrameBuilder.empty.vxlan(vni, flags: flags).payload(bytes).bytes
        if random.int(in: 0...49) == 0 { packet = Array(packet.prefix(random.int(in: 0...24))) }
        return .underlay(
            from: source, packet, typeOfService: UInt8(random.int(in: 0...255)))
    }

    // MARK: Frames

    private func frame(_ vsi: Int, _ random: inout SeededRandom) -> [UInt8] {
        let sender = host(vsi, &random)
        let receiver = host(vsi, &random)
        switch random.int(in: 0...15) {
        case 0...4: return ended(TestSite.udp(from: sender, to: receiver), &random)
        case 5: return ended(TestSite.udp6(from: sender, to: receiver), &random)
        case 6:
            let group: UInt64 = [0xFFFF_FFFF_FFFF, 0x0100_5E01_0101, 0x0180_C200_0000, 0]
                .randomElement(using: &random)!
            return ended(
                TestSite.udp(
                    from: sender, to: receiver, destinationMAC: MACAddress(bits: group)), &random)
        case 7...9: return routed(sender, &random)
        case 10...13: return arp(vsi, sender, &random)
        case 14:
            let source: UInt64 = [0, 0x0100_0000_0001, RandomSite.gatewayMAC.bits]
                .randomElement(using: &random)!
            return ended(
                TestSite.opaque(from: MACAddress(bits: source), to: receiver.mac), &random)
        default:
            return ended(
                TestSite.udp(
                    from: sender, to: receiver, payloadCount: random.int(in: 18...1500),
                    typeOfService: UInt8(random.int(in: 0...255)),
                    timeToLive: UInt8(random.int(in: 0...255))), &random)
        }
    }

    private func host(_ vsi: Int, _ random: inout SeededRandom) -> TestSite.Host {
        let number = random.int(in: 0...RandomSite.hostCount - 1)
        return .init(
            mac: RandomSite.mac(number), address: RandomSite.address(number, vsi: vsi))
    }

    private func routed(_ sender: TestSite.Host, _ random: inout SeededRandom) -> [UInt8] {
        let vsi = random.int(in: 1...configuration.vsis.count + 1)
        let receiver = TestSite.Host(
            mac: RandomSite.gatewayMAC, address: host(vsi, &random).address)
        return ended(
            TestSite.udp(
                from: sender, to: receiver, timeToLive: UInt8(random.int(in: 0...3) * 50)), &random)
    }

    private func arp(
        _ vsi: Int, _ sender: TestSite.Host, _ random: inout SeededRandom
    ) -> [UInt8] {
        let targets = [host(vsi, &random).address, RandomSite.gateway(vsi), sender.address]
        let senders = [
            sender.address, sender.address, sender.address, .any, RandomSite.gateway(vsi),
        ]
        let destination: MACAddress =
            random.int(in: 0...3) > 0 ? .broadcast : host(vsi, &random).mac
        return TestSite.arp(
            random.int(in: 0...3) > 0 ? 1 : 2, sender.mac, senders.randomElement(using: &random)!,
            .zero, targets.randomElement(using: &random)!, to: destination)
    }

    /// The frame with its serial number in the last eight bytes, behind what IP counts.
    private func ended(_ frame: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        frame + (0..<8).map { UInt8(truncatingIfNeeded: serial >> UInt64(56 - 8 * $0)) }
    }

    private func insertTag(_ identifier: UInt16, into frame: inout [UInt8]) {
        frame.insert(
            contentsOf: [0x81, 0, UInt8(identifier >> 8), UInt8(identifier & 255)], at: 12)
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        switch random.int(in: 0...15) {
        case 0...1:
            for _ in 0..<random.int(in: 1...4) {
                bytes[random.int(in: 0...bytes.count - 1)] ^= 1 << UInt8(random.int(in: 0...7))
            }
        case 2: bytes = Array(bytes.prefix(random.int(in: 0...bytes.count)))
        case 3: insertTag(UInt16(random.int(in: 0...4095)), into: &bytes)
        default: break
        }
    }
}
