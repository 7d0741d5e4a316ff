import Dataplane
import FuzzDriver
import Memory
import Tables
import TestKit
import Wire

/// One turn of a gateway over the packets of one input, and what must hold after it.
///
/// An input is a byte of settings and a row of packets, each a head of eight bytes and its frame:
///
/// | byte | meaning |
/// |---|---|
/// | 0 | the bits of `Flag` |
/// | 1 | device or peer; VNI of the header of ours |
/// | 2 | outer type of service |
/// | 3 | unused |
/// | 4, 5 | the tag |
/// | 6, 7 | length of the frame |
struct Step {
    /// The bits of a head's first byte.
    private enum Flag {
        static let isTunnelled: UInt8 = 1
        /// A VXLAN header of ours goes in front.
        static let hasOurHeader: UInt8 = 2
        /// Offload metadata follows the head.
        static let hasMetadata: UInt8 = 4
        /// The IPv4 header's checksum is made right.
        static let isRepaired: UInt8 = 8
        /// A tag lies beside the frame.
        static let hasTag: UInt8 = 16
    }

    static let headByteCount = 8
    /// More than a batch holds, so that its limit is met.
    static let maximumPacketCount = 300

    private let world: World
    private let arena = FrameArena()
    private var received = 0

    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let world = worlds[Int(first) % worlds.count]
        var step = Step(world: world)
        let pipeline = world.pipeline
        pipeline.batch.removeAll()
        pipeline.batch.now.value &+= 1_000_000
        let before = step.totals()
        step.receive(input.dropFirst())
        pipeline.process()
        let transmitted = step.transmit()
        step.expectBalance(before, transmitted: transmitted)
        while world.events.pop() != nil {}
        // At times the ring to the agent stays as full as it is.
        guard first & 0x80 == 0 else { return }
        while unsafe world.frames.next() != nil { world.frames.advance() }
    }

    private init(world: World) { self.world = world }

    // MARK: Receive

    private mutating func receive(_ input: ArraySlice<UInt8>) {
        var rest = input
        for _ in 0..<Self.maximumPacketCount {
            guard rest.count >= Self.headByteCount else { return }
            let head = Array(rest.prefix(Self.headByteCount))
            rest = rest.dropFirst(Self.headByteCount)
            var metadata = Segmentation.none
            if head[0] & Flag.hasMetadata != 0, rest.count >= MetadataBytes.count {
                metadata = MetadataBytes.segmentation(rest)
                rest = rest.dropFirst(MetadataBytes.count)
            }
            let length = min(Int(head[6]) << 8 | Int(head[7]), rest.count)
            let frame = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            guard append(head, frame, metadata) else { return }
        }
    }

    private mutating func append(
        _ head: [UInt8], _ given: [UInt8], _ metadata: Segmentation
    ) -> Bool {
        var bytes = given
        if head[0] & Flag.isRepaired != 0 { repairIPv4(&bytes) }
        let isTunnelled = head[0] & Flag.isTunnelled != 0
        if isTunnelled && head[0] & Flag.hasOurHeader != 0 {
            let vni = VNI(bits: UInt32(head[1] >> 2) % 4 * 10)
            bytes = FrameBuilder.empty.vxlan(vni).bytes + bytes
        }
        let tag =
            head[0] & Flag.hasTag != 0
            ? PacketBatch.tagPresent | UInt32(head[4]) << 8 | UInt32(head[5]) : 0
        let source = ([World.vtep, 0x0A0A_0A0A] + World.peers)[Int(head[1] & 3)]
        let device = isTunnelled ? PacketBatch.underlay : UInt16(head[1] % 6)
        let isAppended = world.pipeline.batch.append(
            arena.frame(bytes), slot: UInt32(received), device: device,
            segmentation: metadata, vlan: isTunnelled ? 0 : tag,
            outerSource: isTunnelled ? source : 0, outerTOS: isTunnelled ? head[2] : 0)
        FuzzDriver.expect(
            isAppended == (received < PacketBatch.laneCapacity), "a batch fills to its capacity")
        if isAppended { received += 1 }
        return isAppended
    }

    private func repairIPv4(_ bytes: inout [UInt8]) {
        guard bytes.count >= 34, bytes[12] == 8, bytes[13] == 0 else { return }
        let length = 14 + Int(bytes[14] & 15) * 4
        guard length >= 34, length <= bytes.count else { return }
        bytes.replaceSubrange(24..<26, with: [0, 0])
        let checksum = ~plainSum(Array(bytes[14..<length]))
        bytes.replaceSubrange(24..<26, with: [UInt8(checksum >> 8), UInt8(checksum & 255)])
    }

    // MARK: Transmit

    /// Does with each output what a port or socket does, and gives their number.
    private func transmit() -> Int {
        let batch = world.pipeline.batch
        let header = arena.frame(count: Segmenter.maximumHeaderByteCount)
        var cursor = ReplicateStage.Cursor()
        var transmitted = 0
        var rounds = 0
        while true {
            let isComplete = world.pipeline.makeOutputs(&cursor)
            let count = batch.outputCount.value
            FuzzDriver.expect(count <= PacketBatch.outputCapacity, "outputs stay in bounds")
            for output in 0..<count { send(output, header) }
            transmitted += count
            rounds += 1
            FuzzDriver.expect(rounds <= PacketBatch.laneCapacity, "replication comes to an end")
            if isComplete { return transmitted }
        }
    }

    private func send(_ output: Int, _ header: FrameView) {
        let batch = world.pipeline.batch
        let lane = Int(batch.outputLane[output])
        let destination = batch.outputDestination[output]
        let origin = batch.ingress[lane]
        FuzzDriver.expect(lane < received, "an output is a copy of a lane")
        let frame = batch.frame(lane)
        FuzzDriver.expect(
            !(origin.isPeer && destination.isPeer)
                || destination == origin && isAnswer(frame, batch.etherType[lane]),
            "nothing out of a tunnel enters one, but an answer where it was asked")
        if destination.isPeer {
            FuzzDriver.expect(
                batch.outputSourcePort[output]
                    < max(1, world.pipeline.tables.settings.sourcePortCount),
                "the source port is in its range")
            FuzzDriver.expect(batch.outputFields[output].timeToLive > 0, "an outer TTL can be sent")
        }
        let metadata = batch.segmentations[lane]
        guard metadata.isSuperPacket else {
            _ = metadata.completeChecksum(in: frame)
            return
        }
        guard let segmenter = Segmenter(frame: frame, segmentation: metadata) else { return }
        for index in [0, segmenter.segmentCount / 2, segmenter.segmentCount - 1] {
            FuzzDriver.expect(
                segmenter.segment(index, header: header) != nil, "every index has a segment")
        }
    }

    /// The gateway says in its own name what an address of it is, or that it is there.
    private func isAnswer(_ frame: FrameView, _ etherType: UInt16) -> Bool {
        guard EthernetHeader(frame: frame, at: 0).source.bits == World.gatewayMAC else {
            return false
        }
        if etherType == EtherType.arp {
            let packet = ARPPacket(frame: frame, at: EthernetHeader.byteCount)
            return packet.operation == ARPPacket.reply
        }
        let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
        let offset = header.offset + header.headerByteCount
        return etherType == EtherType.ipv4 && header.protocolNumber == ProtocolNumber.icmp
            && frame.loadUInt8(at: offset) == ICMPv4.MessageType.echoReply
    }

    // MARK: Accounts

    private struct Totals {
        var dropped: UInt64
        var replicated: UInt64
    }

    private func totals() -> Totals {
        let page = world.pipeline.counters.page
        return Totals(
            dropped: DropReason.allCases.reduce(0) { $0 + page.read(CounterLayout.index($1)) },
            replicated: page.read(CounterLayout.index(CounterLayout.Total.replicated)))
    }

    /// Received and replicated packets were transmitted, consumed, held or dropped, each once.
    private func expectBalance(_ before: Totals, transmitted: Int) {
        let after = totals()
        let batch = world.pipeline.batch
        let consumed = (0..<received).count { lane in
            batch.verdict[lane] == .consumed || batch.verdict[lane] == .held
        }
        let incoming = UInt64(received) + (after.replicated - before.replicated)
        let outgoing = UInt64(transmitted + consumed) + (after.dropped - before.dropped)
        FuzzDriver.expect(incoming == outgoing, "every packet ends in one named way")
        let bug = world.pipeline.counters.page.read(
            CounterLayout.index(DropReason.internalUnknownVerdict))
        FuzzDriver.expect(bug == 0, "no lane leaves without a fate")
    }

    // MARK: Gateways

    /// Gateways that differ in their settings.
    private static let worlds: [World] = {
        var plain = TableSet.Settings()
        plain.vtepAddress = World.vtep
        plain.underlayMTU = 1500
        plain.sourcePortCount = 64
        plain.arpIntervalNanoseconds = 1000
        var strict = plain
        strict.reservedBitsAreStrict = true
        strict.doNotFragment = .set
        strict.dscp = 46
        var open = plain
        open.acceptsUnknownPeers = true
        open.underlayMTU = 0
        open.ttl = 0
        open.dscp = 255
        open.doNotFragment = .inherit
        open.sourcePortCount = 16_384
        open.arpIntervalNanoseconds = 0
        var small = open
        small.underlayMTU = 60
        small.sourcePortCount = 1
        return [plain, strict, open, small].map { World(settings: $0) }
    }()
}
