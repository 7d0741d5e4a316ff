import Generator
import Glibc
import Testing
import Wire

/// What emulated hosts say to each kind of question.
@Suite struct AnswerTests {
    static let hosts = HostSpace(
        IPv4Prefix("10.1.0.0/16")!, firstMAC: MACAddress(bits: 0x0256_5900_0001))!
    private static let asker = MACAddress(bits: 0x0200_0000_0A0A)

    static func request(
        for address: String, from sender: String = "10.9.9.9", mac: MACAddress = asker,
        to destination: MACAddress = .broadcast, vlan: UInt16 = 0
    ) -> [UInt8] {
        let tag = vlan == 0 ? 0 : 4
        var bytes = [UInt8](repeating: 0, count: 60 + tag)
        FrameTests.view(&bytes) { frame in
            EthernetHeader(frame: frame, at: 0).emit(
                destination: destination, source: mac,
                etherType: vlan == 0 ? EtherType.arp : EtherType.customerTag)
            if vlan != 0 {
                frame.store(vlan, at: 14)
                frame.store(EtherType.arp, at: 16)
            }
            ARPPacket(frame: frame, at: 14 + tag).emit(
                operation: ARPPacket.request, senderMAC: mac, senderIP: IPv4Address(sender)!,
                targetMAC: .zero, targetIP: IPv4Address(address)!)
        }
        return bytes
    }

    private func outcome(
        _ bytes: inout [UInt8], ports: Int = 1, port: Int = 0, reflects: Bool = false
    ) -> Responder.Outcome {
        let responder = Responder(Self.hosts, ports: ports, reflects: reflects)
        defer { responder.deallocate() }
        var outcome = Responder.Outcome.ignored
        FrameTests.view(&bytes) { outcome = responder.answer($0, port: port) }
        return outcome
    }

    @Test func aPrefixHasItsHosts() throws {
        func space(_ prefix: String, _ limit: Int? = nil) -> HostSpace? {
            HostSpace(IPv4Prefix(prefix)!, firstMAC: MACAddress(bits: 1), limit: limit)
        }
        let net = try #require(space("10.1.1.77/24"))
        #expect(net.count == 254 && net.address(of: 253) == IPv4Address("10.1.1.254"))
        #expect(net.host(with: IPv4Address("10.1.1.1")!) == 0)
        #expect(net.host(with: IPv4Address("10.1.1.255")!) == nil)
        #expect(net.host(with: IPv4Address("10.1.1.0")!) == nil)
        #expect(space("10.1.1.7/32")?.address(of: 0) == IPv4Address("10.1.1.7"))
        #expect(space("10.1.1.6/31")?.count == 2)
        #expect(space("10.0.0.0/8", 100_000)?.count == 100_000)
        #expect(space("10.1.1.0/24", 255) == nil && space("10.0.0.0/7") == nil)
        // The same mapping as that of flows.
        var flows = FlowSpace(
            source: IPv4Prefix("10.9.0.0/24")!, destination: IPv4Prefix("10.1.1.0/24")!, seed: 3)
        flows.destinationMACs = MACRange(first: MACAddress(bits: 1), count: 254)
        for number: UInt32 in 0..<100 {
            let flow = Flow(number, in: flows)
            let host = try #require(net.host(with: flow.destination))
            #expect(net.mac(of: host) == flow.destinationMAC)
        }
    }

    @Test(arguments: [0, 7] as [UInt16]) func requestsAreAnswered(vlan: UInt16) {
        var bytes = Self.request(for: "10.1.2.3", vlan: vlan)
        #expect(outcome(&bytes) == .arpReply)
        let mac = MACAddress(bits: 0x0256_5900_0000 + 0x203)
        FrameTests.view(&bytes) { frame in
            let ethernet = EthernetHeader(frame: frame, at: 0)
            #expect(ethernet.destination == Self.asker && ethernet.source == mac)
            #expect(ethernet.isTagged == (vlan != 0))
            let arp = ARPPacket(frame: frame, at: vlan == 0 ? 14 : 18)
            #expect(arp.operation == ARPPacket.reply && arp.senderMAC == mac)
            #expect(arp.senderIP == IPv4Address("10.1.2.3") && arp.targetMAC == Self.asker)
            #expect(arp.targetIP == IPv4Address("10.9.9.9"))
        }
    }

    @Test func questionsOfOthersAreIgnored() {
        for (address, sender) in [
            ("10.2.0.1", "10.9.9.9"), ("10.1.0.0", "10.9.9.9"), ("10.1.255.255", "10.9.9.9"),
        ] {
            var bytes = Self.request(for: address, from: sender)
            let before = bytes
            #expect(outcome(&bytes) == .ignored && bytes == before)
        }
        // To another host's MAC address, and by the host itself.
        var bytes = Self.request(for: "10.1.0.1", to: MACAddress(bits: 0x0256_5900_0002))
        #expect(outcome(&bytes) == .ignored)
        bytes = Self.request(for: "10.1.0.1", mac: MACAddress(bits: 0x0256_5900_0001))
        #expect(outcome(&bytes) == .ignored)
        for count in 0..<42 {
            var cut = Array(Self.request(for: "10.1.0.1").prefix(count))
            #expect(outcome(&cut) == .ignored)
        }
    }

    @Test func probesAreAnsweredAndAnnouncementsAreConflicts() {
        var bytes = Self.request(for: "10.1.0.9", from: "0.0.0.0")
        #expect(outcome(&bytes) == .arpReply)
        bytes = Self.request(for: "10.1.0.9", from: "10.1.0.9")
        #expect(outcome(&bytes) == .conflict)
        bytes = Self.request(for: "10.9.0.9", from: "10.9.0.9")
        #expect(outcome(&bytes) == .ignored)
    }

    @Test func hostsAreBehindOnePortAndMove() {
        let responder = Responder(Self.hosts, ports: 3, reflects: false)
        defer { responder.deallocate() }
        func answers(_ port: Int) -> Bool {
            var bytes = Self.request(for: "10.1.0.5")
            var outcome = Responder.Outcome.ignored
            FrameTests.view(&bytes) { outcome = responder.answer($0, port: port) }
            return outcome == .arpReply
        }
        #expect((0..<3).map(answers) == [false, true, false])
        responder.move(4, to: 2)
        #expect((0..<3).map(answers) == [false, false, true])
    }

    private func packet(
        protocolNumber: UInt8, to mac: UInt64 = 0x0256_5900_0003, body: (FrameView) -> Void
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 98)
        FrameTests.view(&bytes) { frame in
            EthernetHeader(frame: frame, at: 0).emit(
                destination: MACAddress(bits: mac), source: Self.asker, etherType: EtherType.ipv4)
            IPv4Header(frame: frame, at: 14).emit(
                source: IPv4Address("10.9.9.9")!, destination: IPv4Address("10.1.0.3")!,
                protocolNumber: protocolNumber, totalLength: 84, timeToLive: 3, typeOfService: 0,
                identification: 9, dontFragment: true)
            body(frame)
        }
        return bytes
    }

    private func expectTurned(_ bytes: inout [UInt8]) {
        FrameTests.view(&bytes) { frame in
            let ethernet = EthernetHeader(frame: frame, at: 0)
            #expect(ethernet.destination == Self.asker)
            #expect(ethernet.source == MACAddress(bits: 0x0256_5900_0003))
            let ip = IPv4Header(frame: frame, at: 14)
            #expect(ip.check() == .valid && ip.timeToLive == 64)
            #expect(ip.source == IPv4Address("10.1.0.3"))
            #expect(ip.destination == IPv4Address("10.9.9.9"))
        }
    }

    @Test func pingsAreAnswered() {
        func ping(_ mac: UInt64 = 0x0256_5900_0003) -> [UInt8] {
            packet(protocolNumber: ProtocolNumber.icmp, to: mac) { frame in
                for index in 42..<98 { frame.store(UInt8(index), at: index) }
                ICMPv4(frame: frame, at: 34, length: 64).emitEcho(
                    type: 8, identifier: 77, sequence: 5)
            }
        }
        var bytes = ping()
        #expect(outcome(&bytes) == .echoReply)
        expectTurned(&bytes)
        FrameTests.view(&bytes) { frame in
            let message = ICMPv4(frame: frame, at: 34, length: 64)
            #expect(message.check() == .valid && message.type == 0)
            #expect(message.identifier == 77 && message.sequence == 5)
        }
        // A reply is no question, and a damaged or foreign one gets no answer.
        var again = bytes
        #expect(outcome(&again) == .ignored)
        var damaged = ping()
        damaged[60] ^= 1
        #expect(outcome(&damaged) == .ignored)
        var foreign = ping(0x0256_5900_0004)
        #expect(outcome(&foreign) == .ignored)
        var elsewhere = ping()
        #expect(outcome(&elsewhere, ports: 3, port: 1) == .ignored)
    }

    @Test func datagramsAreReflectedWhereAsked() {
        let bytes = packet(protocolNumber: ProtocolNumber.udp) { frame in
            UDPHeader(frame: frame, at: 34).emit(
                sourcePort: 1111, destinationPort: 2222, length: 64, checksum: 0)
            let pseudo = InternetChecksum.pseudoHeaderIPv4(
                source: IPv4Address("10.9.9.9")!, destination: IPv4Address("10.1.0.3")!,
                protocolNumber: ProtocolNumber.udp, length: 64)
            UDPHeader(frame: frame, at: 34).checksum = InternetChecksum.checksumUDP(
                InternetChecksum.sum(frame, offset: 34, length: 64, initial: pseudo))
        }
        var quiet = bytes
        #expect(outcome(&quiet) == .ignored && quiet == bytes)
        var sent = bytes
        #expect(outcome(&sent, reflects: true) == .reflected)
        expectTurned(&sent)
        FrameTests.view(&sent) { frame in
            let udp = UDPHeader(frame: frame, at: 34)
            #expect(udp.sourcePort == 2222 && udp.destinationPort == 1111)
            #expect(
                udp.hasValidChecksum(
                    pseudoHeader: InternetChecksum.pseudoHeaderIPv4(
                        source: IPv4Address("10.1.0.3")!, destination: IPv4Address("10.9.9.9")!,
                        protocolNumber: ProtocolNumber.udp, length: 64)))
        }
    }

    @Test(arguments: [0, 12] as [UInt16]) func announcementsAreThoseOfTheRFC(vlan: UInt16) {
        let responder = Responder(Self.hosts, ports: 1, reflects: false)
        defer { responder.deallocate() }
        let tag = vlan == 0 ? 0 : 4
        var bytes = [UInt8](repeating: 0xFF, count: 60 + tag)
        FrameTests.view(&bytes) { frame in
            responder.announce(299, vlan: vlan, to: frame)
            let ethernet = EthernetHeader(frame: frame, at: 0)
            #expect(ethernet.destination.isBroadcast)
            #expect(ethernet.source == MACAddress(bits: 0x0256_5900_0001 + 299))
            #expect(vlan == 0 || ethernet.vlanIdentifier == vlan)
            let arp = ARPPacket(frame: frame, at: 14 + tag)
            #expect(arp.check() == .valid && arp.isAnnouncement)
            #expect(arp.operation == ARPPacket.request)
            #expect(arp.senderIP == IPv4Address("10.1.1.44"))
        }
        #expect(bytes.suffix(18).allSatisfy { $0 == 0 })
    }
}
