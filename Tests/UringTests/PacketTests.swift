import Glibc
import Testing
import Uring

extension KernelTests {
    /// Packet sockets on one end of a veth pair, with the kernel's stack at the other.
    @Suite(.serialized, .enabled(if: Lab.isPermitted, Lab.cause)) struct PacketTests {
        /// Tags written into the frame come out beside it at the other end, whatever the frame.
        @Test(arguments: [0, 1000])
        func aVLANTagComesBesideTheFrame(segment: Int) throws {
            let bench = try PacketBench(sockets: 1)
            defer { bench.loop.close() }
            let left = try NetworkNamespace.run(in: bench.lab.namespaces[0]) {
                () throws(UringError) in
                try PacketSocket.open(device: "left", count: 1, receiveBufferBytes: 1 << 20)[0]
            }
            let file = bench.loop.ring.register(left.descriptor)
            for tag: UInt16? in [nil, 100, 0x6FFF] {
                let frame = UDPFrame(
                    source: Lab.address(1), destination: Lab.address(2),
                    sourceMAC: 0x0200_0000_0001, destinationMAC: 0x0200_0000_0002,
                    payload: [UInt8](repeating: 5, count: segment == 0 ? 60 : 4 * segment))
                let operation = try #require(bench.loop.sender.beginPacket(from: file))
                try Self.append(frame, tag: tag, segment: segment, to: operation, of: bench.loop)
                #expect(bench.loop.sender.commit(operation, tag: Loop.sendTag))
                var seen: ReceivedPacket?
                bench.loop.run(until: seen != nil) { _, completion in
                    seen = bench.udpPacket(completion) ?? seen
                }
                #expect(bench.loop.results.allSatisfy { $0 > 0 })
                #expect(seen?.vlanTCI == tag)
                #expect(seen?.vlanProtocol == 0x8100)
                #expect(seen?.isOutgoing == false && seen?.isTruncated == false)
                #expect(seen?.frameLength == frame.bytes.count, "the tag is not in the frame")
                #expect(seen?.offload.needsChecksum == true)
                #expect(seen?.offload.checksumStart == 34)
                #expect(seen?.offload.isSuperPacket == (segment != 0))
                #expect(seen?.offload.segmentSize == UInt16(segment))
            }
        }

        /// The frame in three pieces with a tag between the first two.
        private static func append(
            _ frame: UDPFrame, tag: UInt16?, segment: Int, to operation: SendOperation,
            of loop: Loop
        ) throws {
            var offload = frame.offload(segment: segment)
            guard let tag else {
                #expect(operation.append(offload))
                loop.append(frame.bytes, to: operation)
                return
            }
            offload.checksumStart += 4
            offload.headerLength += 4
            #expect(operation.append(offload))
            guard let head = unsafe operation.appendScratch(count: 16) else {
                throw Lab.Failure(text: "no scratch")
            }
            for (place, octet) in frame.bytes.prefix(12).enumerated() {
                unsafe head[place] = octet
            }
            unsafe head[12] = 0x81
            unsafe head[13] = 0
            unsafe head[14] = UInt8(tag >> 8)
            unsafe head[15] = UInt8(tag & 255)
            loop.append(frame.bytes.dropFirst(12), to: operation)
        }

        @Test func aTCPStreamArrivesAsSuperPackets() throws {
            let bench = try PacketBench(sockets: 1)
            defer { bench.loop.close() }
            let listener = try TCPEnd(listenIn: bench.lab.namespaces[1], address: Lab.address(2))
            let client = try TCPEnd(connectIn: bench.lab.namespaces[0], to: Lab.address(2))
            #expect(client.write(200_000) > 0)
            var largest = 0
            var header = OffloadHeader()
            bench.loop.run(milliseconds: 1000, until: largest > 5000) { _, completion in
                guard let packet = ReceivedPacket.parse(completion, in: bench.loop.buffers),
                    packet.offload.isSuperPacket, packet.frameLength > largest
                else { return }
                largest = packet.frameLength
                header = packet.offload
            }
            withExtendedLifetime(listener) {}
            #expect(largest > 5000)
            #expect(header.segmentationKind == OffloadHeader.Segmentation.tcp4.rawValue)
            #expect((1000...1460).contains(header.segmentSize))
            #expect(header.needsChecksum && header.checksumStart == 34)
            #expect(header.checksumOffset == 16)
        }

        /// What we send is finished and cut by the kernel behind the other end.
        @Test(arguments: [0, 1000], [false, true])
        func framesLeaveWithTheirOffloads(segment: Int, bypass: Bool) throws {
            let bench = try PacketBench(sockets: 1, bypass: bypass)
            defer { bench.loop.close() }
            let receiver = try NetworkNamespace.run(in: bench.lab.namespaces[0]) {
                () throws(UringError) in
                try DatagramSocket.receiving(
                    address: Lab.address(1), port: 5000, isFirst: true,
                    receiveBufferBytes: 1 << 20)
            }
            bench.loop.receive(.datagrams, receiver.descriptor)
            let count = segment == 0 ? 60 : 4 * segment
            let frame = UDPFrame(
                source: Lab.address(2), destination: Lab.address(1), sourceMAC: 0x0200_0000_0002,
                destinationMAC: 0x0200_0000_0001, payload: [UInt8](repeating: 5, count: count))
            let operation = try #require(bench.loop.sender.beginPacket(from: bench.files[0]))
            #expect(operation.append(frame.offload(segment: segment)))
            bench.loop.append(frame.bytes, to: operation)
            #expect(bench.loop.sender.commit(operation, tag: Loop.sendTag))
            var sizes: [Int] = []
            var echoed = 0
            bench.loop.run(until: sizes.reduce(0, +) >= count) { index, completion in
                guard index == 1 else {
                    if bench.udpPacket(completion) != nil { echoed += 1 }
                    return
                }
                if let datagram = ReceivedDatagram.parse(completion, in: bench.loop.buffers) {
                    sizes.append(datagram.payloadLength)
                }
            }
            #expect(sizes == (segment == 0 ? [60] : [1000, 1000, 1000, 1000]))
            #expect(echoed == 0, "a socket does not hear what it sends")
            #expect(bench.loop.results == [Int32(frame.bytes.count + 10)])
        }

        @Test func aTooLongFrameIsRefused() throws {
            let bench = try PacketBench(sockets: 1)
            defer { bench.loop.close() }
            let frame = UDPFrame(
                source: Lab.address(2), destination: Lab.address(1), sourceMAC: 0x0200_0000_0002,
                destinationMAC: 0x0200_0000_0001, payload: [UInt8](repeating: 5, count: 1600))
            let operation = try #require(bench.loop.sender.beginPacket(from: bench.files[0]))
            #expect(operation.append(frame.offload(segment: 0)))
            bench.loop.append(frame.bytes, to: operation)
            #expect(try bench.loop.send(operation) == -EMSGSIZE)
        }

        /// Two workers' sockets: every frame is in exactly one, that of its flow.
        @Test func aFanoutSplitsFlowsWithoutDuplicates() throws {
            let bench = try PacketBench(sockets: 2)
            defer { bench.loop.close() }
            for flow in 0..<40 {
                for _ in 0..<5 {
                    try bench.send(payload: 60 + flow, to: Lab.address(2), port: 6000 + flow)
                }
            }
            let steering = try? FlowSteering(.sniffed, workers: 2)
            var socketsOf: [Int: Set<Int>] = [:]
            var count = 0
            bench.loop.run(milliseconds: 600) { index, completion in
                guard let packet = bench.udpPacket(completion) else { return }
                count += 1
                socketsOf[packet.frameLength, default: []].insert(index)
                let bytes = unsafe Array(
                    UnsafeBufferPointer(start: packet.frame, count: packet.frameLength))
                if let steering { #expect((try? steering.worker(forSniffed: bytes)) == index) }
            }
            #expect(count == 200)
            #expect(socketsOf.count == 40)
            #expect(socketsOf.values.allSatisfy { $0.count == 1 })
            #expect(Set(socketsOf.values.flatMap { $0 }) == [0, 1], "both have work")
            let operation = try #require(bench.loop.sender.beginPacket(from: bench.files[1]))
            let frame = UDPFrame(
                source: Lab.address(2), destination: Lab.address(1), sourceMAC: 0x0200_0000_0002,
                destinationMAC: 0x0200_0000_0001, payload: [UInt8](repeating: 5, count: 60))
            #expect(operation.append(frame.offload(segment: 0)))
            bench.loop.append(frame.bytes, to: operation)
            #expect(try bench.loop.send(operation) == Int32(frame.bytes.count + 10))
            bench.loop.run(milliseconds: 100) { _, completion in
                #expect(bench.udpPacket(completion) == nil, "what a worker sends, none receives")
            }
        }

        @Test func lossesAreCountedOnce() throws {
            let bench = try PacketBench(sockets: 1, receiveBufferBytes: 4096)
            defer { bench.loop.close() }
            for _ in 0..<100 { try bench.send(payload: 1000, to: Lab.address(2)) }
            let losses = bench.sockets[0].takeLosses()
            #expect(losses > 50 && losses < 100)
            #expect(bench.sockets[0].takeLosses() == 0)
        }

        @Test func aDeviceThatGoesDownComesBack() throws {
            let bench = try PacketBench(sockets: 1)
            defer { bench.loop.close() }
            bench.loop.run(milliseconds: 30) { _, _ in }
            let space = bench.lab.namespaces[1]
            try Lab.require("ip -n \(space) link set right down")
            var errors: [Int32] = []
            bench.loop.run(milliseconds: 100) { _, completion in
                if completion.result < 0 { errors.append(completion.result) }
            }
            #expect(errors == [-ENETDOWN])
            #expect(!bench.loop.receivers[0].isPaused)
            try Lab.require("ip -n \(space) link set right up")
            try bench.lab.neighbor(
                bench.lab.namespaces[0], "left", "10.77.0.2", "02:00:00:00:00:02")
            var arrived = false
            for _ in 0..<20 where !arrived {
                try bench.send(payload: 60, to: Lab.address(2))
                bench.loop.run(milliseconds: 100, until: arrived) { _, completion in
                    if bench.udpPacket(completion) != nil { arrived = true }
                }
            }
            #expect(arrived)
        }

        @Test func aMissingDeviceIsNamed() {
            let error = #expect(throws: UringError.self) {
                try PacketSocket.open(device: "vxu-none", count: 1, receiveBufferBytes: 65536)
            }
            #expect(
                error?.description == "network device vxu-none does not exist: create it or"
                    + " correct the name (`ip -brief link` lists what there is)")
        }

        /// The outer header as another host sees it.
        @Test(arguments: [false, true])
        func outerFieldsAreAsAskedFor(marked: Bool) throws {
            let bench = try PacketBench(
                sockets: 1, fragmentation: marked ? .neverAndMarked : .never)
            defer { bench.loop.close() }
            try bench.send(payload: 60, to: Lab.address(2))
            try bench.send(payload: 61, to: Lab.address(2), tos: 0xBB, ttl: 9)
            var seen: [Int: [UInt8]] = [:]
            bench.loop.run(until: seen.count == 2) { _, completion in
                guard let packet = bench.udpPacket(completion) else { return }
                seen[packet.frameLength - 42] = (0..<42).map { unsafe packet.frame[$0] }
            }
            for header in seen.values {
                #expect(header[20] == (marked ? 0x40 : 0), "DF")
                #expect(header[34] == 0xC3 && header[35] == 0x51, "source port 50001")
            }
            #expect(seen[60]?[15] == 0x28 && seen[60]?[22] == 64)
            #expect(seen[61]?[15] == 0xBB && seen[61]?[22] == 9)
        }

        @Test func linksAreHeard() throws {
            let lab = try Lab(namespaces: 1)
            let space = lab.namespaces[0]
            let monitor = try LinkMonitor(namespace: space)
            let first = monitor.receive()
            #expect(
                first.contains {
                    if case .present(let link) = $0 { link.name == "lo" } else { false }
                })
            try Lab.require(
                "ip -n \(space) link add ping address 02:00:00:00:00:07 type veth peer pong")
            try Lab.require("ip -n \(space) link set pong up")
            try Lab.require("ip -n \(space) link set ping up mtu 1400")
            let links = Self.links(monitor.receive(), "ping")
            #expect(links.last?.mtu == 1400)
            #expect(links.last?.isUp == true)
            #expect(links.first?.isUp == false)
            #expect(links.last?.macAddress == 0x0200_0000_0007)
            try Lab.require("ip -n \(space) link delete ping")
            let gone = monitor.receive().contains {
                if case .removed(let name, let index) = $0 {
                    name == "ping" && index == links.last?.index
                } else {
                    false
                }
            }
            #expect(gone)
            #expect(monitor.receive().isEmpty)
        }

        private static func links(_ events: [LinkMonitor.Event], _ name: String) -> [NetworkDevice]
        {
            events.compactMap {
                if case .present(let link) = $0, link.name == name { link } else { nil }
            }
        }
    }
}
