import Glibc
import Testing
import Uring

extension KernelTests {
    /// Sockets: what they refuse, and how errors of a send come back.
    @Suite(.serialized, .enabled(if: Lab.isPermitted, Lab.cause)) struct SocketTests {
        static let loopback: UInt32 = 0x7F00_0001

        @Test func aPortInUseIsNamedWithTheWayOut() throws {
            let port = try SourcePorts.pick(1, address: Self.loopback)[0]
            let first = try DatagramSocket.receiving(
                address: Self.loopback, port: port, isFirst: true, receiveBufferBytes: 1 << 20)
            let second = try DatagramSocket.receiving(
                address: Self.loopback, port: port, isFirst: false, receiveBufferBytes: 1 << 20)
            #expect(second.descriptor != first.descriptor)
            #expect(first.bufferBytes >= 1 << 20)
            // Another vxgate of the same user also shares its port, and is detected.
            let error = #expect(throws: UringError.self) {
                try DatagramSocket.receiving(
                    address: Self.loopback, port: port, isFirst: true, receiveBufferBytes: 1 << 20)
            }
            #expect(error?.code == EADDRINUSE)
            #expect(
                error?.description == "udp port \(port) on 127.0.0.1 is in use: stop the other"
                    + " VXLAN program (`ss -lunp 'sport = \(port)'` names it) or set vtep.udp-port")
            #expect(!(try SourcePorts.pick(1, address: Self.loopback)).contains(port))
        }

        @Test func anAddressOfAnotherHostIsNamed() throws {
            let error = #expect(throws: UringError.self) {
                try DatagramSocket.receiving(
                    address: 0xC633_6401, port: 4789, isFirst: true, receiveBufferBytes: 65536)
            }
            #expect(error?.what == "198.51.100.1 is not an address of this host")
            #expect(throws: UringError.self) { try SourcePorts.pick(1, address: 0xC633_6401) }
        }

        @Test func manySourcePortsAreDistinctAndShared() throws {
            try SourcePorts.reserveDescriptors(for: 128)
            let ports = try SourcePorts.pick(64, address: Self.loopback)
            #expect(Set(ports).count == 64)
            #expect(ports.allSatisfy { $0 >= 49152 })
            let sockets = try (0..<2).flatMap { _ in
                try ports.map { try DatagramSocket.sending(address: Self.loopback, port: $0) }
            }
            #expect(Set(sockets.map(\.port)).count == 64)
        }

        @Test func refusedSendsComeBackAsResults() throws {
            let lab = try Lab(namespaces: 1)
            let socket = try NetworkNamespace.run(in: lab.namespaces[0]) { () throws(UringError) in
                try DatagramSocket.sending(address: Self.loopback, port: 50001)
            }
            try Lab.require("ip -n \(lab.namespaces[0]) link set lo mtu 1500")
            let loop = try Loop()
            defer { loop.close() }
            let file = loop.ring.register(socket.descriptor)
            let bytes = [UInt8](repeating: 1, count: 1473)
            let long = try send(loop, file, Self.loopback, bytes)
            #expect(long == -EMSGSIZE, "1473 + 28 do not fit 1500, and nothing may be fragmented")
            #expect(try send(loop, file, Self.loopback, bytes.dropLast()) == 1472)
            #expect(try send(loop, file, 0x0A0B_0C0D, bytes.prefix(10)) == -ENETUNREACH)
            #expect(loop.sender.inFlight == 0)
        }

        private func send(
            _ loop: Loop, _ file: UringFile, _ address: UInt32, _ bytes: some Collection<UInt8>
        ) throws -> Int32 {
            let operation = try #require(
                loop.sender.beginDatagram(from: file, to: address, port: 9))
            loop.append(bytes, to: operation)
            return try loop.send(operation)
        }

        @Test func aUsedUpArenaSaysSo() throws {
            let loop = try Loop()
            defer { loop.close() }
            let file = UringFile(descriptor: -1)
            var begun: [SendOperation] = []
            while let next = loop.sender.beginPacket(from: file) { begun.append(next) }
            #expect(begun.count == 64)
            while let next = loop.sender.beginPacket(from: file, isLarge: true) {
                begun.append(next)
            }
            #expect(begun.count == 66)
            #expect(begun[65].freePieces == 260)
            #expect(begun[0].freeScratch == 256)
            #expect(unsafe begun[0].appendScratch(count: 257) == nil)
            for operation in begun { loop.sender.abandon(operation) }
            #expect(loop.sender.inFlight == 0)
            loop.sender.abandon(begun[0])
            #expect(loop.sender.inFlight == 0, "twice given back counts once")
            #expect(loop.sender.finish(Completion(userData: 65535, result: 0, flags: 0)) == nil)
        }

        /// A segmented send of 100 pieces with their own headers arrives as coalesced datagrams.
        @Test func aSegmentedSendIsCutAndCoalesced() throws {
            let port = try SourcePorts.pick(1, address: Self.loopback)[0]
            let socket = try DatagramSocket.receiving(
                address: Self.loopback, port: port, isFirst: true, receiveBufferBytes: 1 << 20,
                coalesces: true)
            #expect(socket.hasSegmentation)
            let source = try SourcePorts.pick(1, address: Self.loopback)[0]
            let out = try DatagramSocket.sending(
                address: Self.loopback, port: source, isChecksummed: true)
            #expect(out.hasSegmentation)
            let loop = try Loop()
            defer { loop.close() }
            loop.receive(.datagrams, socket.descriptor)
            loop.run(milliseconds: 50) { _, _ in }
            let operation = try #require(
                loop.sender.beginDatagram(
                    from: loop.ring.register(out.descriptor), to: Self.loopback, port: port,
                    isLarge: true))
            let body = [UInt8](repeating: 9, count: 400)
            for number in 0..<100 {
                guard let header = unsafe operation.appendScratch(count: 100) else { break }
                unsafe header.update(repeating: UInt8(number), count: 100)
                loop.append(body, to: operation)
            }
            operation.setTOS(0x28)
            operation.setTTL(3)
            operation.setSegmentSize(500)
            #expect(operation.byteCount == 50_000)
            #expect(loop.sender.commit(operation, tag: Loop.sendTag, note: 77))
            var bytes = 0
            var order: [UInt8] = []
            loop.run(until: bytes >= 50_000) { _, completion in
                guard let datagram = ReceivedDatagram.parse(completion, in: loop.buffers)
                else { return }
                #expect(datagram.tos == 0x28)
                #expect(datagram.segmentSize == 500)
                bytes += datagram.payloadLength
                for start in stride(from: 0, to: datagram.payloadLength, by: 500) {
                    unsafe order.append(datagram.payload[start])
                }
            }
            #expect(bytes == 50_000)
            #expect(order == (0..<100).map { UInt8($0) })
            #expect(loop.results == [50_000])
        }

        @Test func aFullSubmissionQueueIsHandedOverByItself() throws {
            let loop = try DatagramLoop(buffers: 128, bufferLength: 512, entries: 8)
            defer { loop.close() }
            loop.receiver.armIfNeeded(on: loop.ring)
            for number in 0..<100 { try loop.send(UInt32(number), tos: UInt8(number % 64) << 2) }
            var turns = 0
            while loop.received < 100 && turns < 100 {
                try loop.turn()
                turns += 1
            }
            #expect(loop.received == 100)
            #expect(loop.outOfOrder == 0)
            #expect(loop.sender.inFlight == 0)
        }

        @Test func aTooLongDatagramIsToldAsTruncated() throws {
            let loop = try Loop(bufferLength: 200)
            defer { loop.close() }
            let port = try SourcePorts.pick(1, address: Self.loopback)[0]
            let socket = try DatagramSocket.receiving(
                address: Self.loopback, port: port, isFirst: true, receiveBufferBytes: 65536)
            let out = try DatagramSocket.sending(
                address: Self.loopback, port: SourcePorts.pick(1, address: Self.loopback)[0])
            loop.receive(.datagrams, socket.descriptor)
            let operation = try #require(
                loop.sender.beginDatagram(
                    from: loop.ring.register(out.descriptor), to: Self.loopback, port: port))
            loop.append([UInt8](repeating: 1, count: 300), to: operation)
            #expect(loop.sender.commit(operation, tag: Loop.sendTag))
            var seen: ReceivedDatagram?
            loop.run(until: seen != nil) { _, completion in
                seen = ReceivedDatagram.parse(completion, in: loop.buffers) ?? seen
            }
            #expect(seen?.isTruncated == true)
            #expect(seen?.payloadLength == 200 - ReceivedDatagram.payloadOffset)
        }

        /// An empty datagram ends a multishot receive; the next must still arrive.
        @Test func emptyDatagramsDoNotStopAReceiver() throws {
            let loop = try DatagramLoop(buffers: 8, bufferLength: 512)
            defer { loop.close() }
            for number in 0..<5 {
                let empty = try #require(
                    loop.sender.beginDatagram(
                        from: loop.outFile, to: loop.socket.address, port: loop.socket.port))
                #expect(loop.sender.commit(empty, tag: DatagramLoop.sendTag))
                try loop.send(UInt32(number), tos: UInt8(number) << 2)
                for _ in 0..<4 { try loop.turn() }
            }
            #expect(loop.received == 5)
            #expect(loop.empty == 5)
            #expect(loop.receiver.rearmCount >= 5)
            #expect(loop.buffers.lentCount == 8)
        }
    }
}
