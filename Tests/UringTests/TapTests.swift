import Glibc
import Testing
import Uring

extension KernelTests {
    /// Taps in a namespace of their own, with the kernel's stack as the user.
    @Suite(.serialized, .enabled(if: Lab.isPermitted, Lab.cause)) struct TapTests {
        static let near = Lab.address(1)
        static let far = Lab.address(2)

        @Test(arguments: [MultishotReceiver.Kind.frames, .singleFrames])
        func framesArriveWithTheirOffloads(kind: MultishotReceiver.Kind) throws {
            let bench = try TapBench(queues: 2, kind: kind)
            defer { bench.loop.close() }
            #expect(bench.tap.offloads.contains([.checksum, .tcp, .udp]))
            var plain: [OffloadHeader] = []
            for number in 0..<50 {
                let sent = try bench.send(bytes: 100, segment: nil, mark: UInt8(number))
                #expect(sent == 100)
            }
            var order: [UInt8] = []
            bench.loop.run(until: plain.count >= 50) { _, completion in
                guard let frame = bench.udpFrame(completion) else { return }
                plain.append(frame.offload)
                unsafe order.append(frame.frame[42])
                #expect(frame.frameLength == 142)
            }
            #expect(order == (0..<50).map { UInt8($0) })
            #expect(plain.allSatisfy { $0.needsChecksum && !$0.isSuperPacket })
            #expect(plain.allSatisfy { $0.checksumStart == 34 && $0.checksumOffset == 6 })
            #expect(!bench.loop.receivers.contains { $0.isPaused })
            let enters = bench.loop.ring.statistics.enters
            bench.loop.run(milliseconds: 200) { _, _ in }
            #expect(bench.loop.ring.statistics.enters - enters < 30, "an idle tap costs nothing")
            #expect(Self.threadNames().allSatisfy { !$0.hasPrefix("iou-wrk") })
        }

        /// What is written on a queue looks to the kernel like the other direction of what it puts
        /// into the queues; left alone it would follow from there on.
        @Test func aFlowStaysInItsQueueWhateverIsWritten() throws {
            let bench = try TapBench(queues: 2)
            defer { bench.loop.close() }
            let back = UDPFrame(
                source: Self.far, destination: Self.near, sourceMAC: 0x0200_0000_0002,
                destinationMAC: 0x0200_0000_0001, payload: [9], port: 50001, sourcePort: 5000)
            var queues: Set<Int> = []
            for descriptor in bench.tap.descriptors + bench.tap.descriptors {
                let file = bench.loop.ring.register(descriptor)
                defer { bench.loop.ring.remove(file) }
                let operation = try #require(bench.loop.sender.beginFrame(into: file))
                #expect(operation.append(back.offload(segment: 0)))
                bench.loop.append(back.bytes, to: operation)
                #expect(bench.loop.sender.commit(operation, tag: Loop.sendTag))
                bench.loop.ring.submit()
                bench.loop.reapSends()
                _ = try bench.send(bytes: 100, segment: nil, mark: 1)
                var seen: Int?
                bench.loop.run(until: seen != nil) { index, completion in
                    if bench.udpFrame(completion) != nil { seen = index }
                }
                queues.insert(try #require(seen))
            }
            #expect(bench.tap.descriptors.count == 2 && queues.count == 1, "\(queues)")
        }

        @Test func aSuperPacketArrivesWhole() throws {
            let bench = try TapBench(queues: 1)
            defer { bench.loop.close() }
            #expect(try bench.send(bytes: 40_000, segment: 1000, mark: 7) == 40_000)
            var whole: ReceivedFrame?
            bench.loop.run(until: whole != nil) { _, completion in
                whole = bench.udpFrame(completion) ?? whole
            }
            #expect(whole?.frameLength == 40_042)
            #expect(whole?.offload.segmentationKind == OffloadHeader.Segmentation.udp.rawValue)
            #expect(whole?.offload.segmentSize == 1000)
            #expect(whole?.offload.needsChecksum == true)
            #expect(whole?.isTruncated == false)
        }

        @Test func aTooLongFrameIsToldAsTruncated() throws {
            let bench = try TapBench(queues: 1, bufferLength: 512)
            defer { bench.loop.close() }
            #expect(try bench.send(bytes: 800, segment: nil, mark: 7) == 800)
            var seen: Bool?
            bench.loop.run(until: seen != nil) { _, completion in
                if let frame = bench.udpFrame(completion) { seen = frame.isTruncated }
            }
            #expect(seen == true)
        }

        /// What we write is finished by the kernel: its checksum, and the cutting.
        @Test(arguments: [0, 1000])
        func framesLeaveWithTheirOffloads(segment: Int) throws {
            let bench = try TapBench(queues: 1)
            defer { bench.loop.close() }
            let receiver = try NetworkNamespace.run(in: bench.space) { () throws(UringError) in
                try DatagramSocket.receiving(
                    address: Self.near, port: 5000, isFirst: true, receiveBufferBytes: 1 << 20)
            }
            bench.loop.receive(.datagrams, receiver.descriptor)
            let count = segment == 0 ? 60 : 4 * segment
            let frame = UDPFrame(
                source: Self.far, destination: Self.near, sourceMAC: 0x0200_0000_0002,
                destinationMAC: 0x0200_0000_0001, payload: [UInt8](repeating: 5, count: count))
            let operation = try #require(bench.loop.sender.beginFrame(into: bench.file))
            #expect(operation.append(frame.offload(segment: segment)))
            bench.loop.append(frame.bytes, to: operation)
            #expect(bench.loop.sender.commit(operation, tag: Loop.sendTag))
            var sizes: [Int] = []
            bench.loop.run(until: sizes.reduce(0, +) >= count) { index, completion in
                guard index == bench.loop.receivers.count - 1,
                    let datagram = ReceivedDatagram.parse(completion, in: bench.loop.buffers)
                else { return }
                #expect(datagram.sourceAddress == Self.far)
                sizes.append(datagram.payloadLength)
            }
            #expect(sizes == (segment == 0 ? [60] : [1000, 1000, 1000, 1000]))
            #expect(bench.loop.results == [Int32(frame.bytes.count + 10)])
        }

        @Test func aRemovedTapPausesItsReceiver() throws {
            let bench = try TapBench(queues: 1)
            defer { bench.loop.close() }
            bench.loop.run(milliseconds: 50) { _, _ in }
            try Lab.require("ip -n \(bench.space) link delete tap0")
            bench.loop.run(milliseconds: 200, until: bench.loop.receivers[0].isPaused) {
                _, _ in
            }
            let receiver = bench.loop.receivers[0]
            #expect(receiver.isPaused && receiver.lastError > 0)
            let enters = bench.loop.ring.statistics.enters
            bench.loop.run(milliseconds: 200) { _, _ in }
            #expect(bench.loop.ring.statistics.enters - enters < 30, "no busy loop")
            let tries = receiver.rearmCount
            receiver.retry()
            bench.loop.run(milliseconds: 100, until: receiver.isPaused) { _, _ in }
            #expect(receiver.rearmCount == tries + 1, "one try, then it pauses again")
        }

        /// Ports that come and go leave nothing behind.
        @Test func fiftyTapsOfOneNameLeaveNoDescriptorAndNoBuffer() throws {
            let lab = try Lab(namespaces: 1)
            let loop = try Loop()
            defer { loop.close() }
            var descriptors: Set<Int32> = []
            for _ in 0..<50 {
                let tap = try TapDevice(name: "tap0", namespace: lab.namespaces[0])
                descriptors.insert(tap.descriptors[0])
                loop.receive(.frames, tap.descriptors[0])
                loop.run(milliseconds: 2) { _, _ in }
                try loop.stopLast()
            }
            // Other tests open files in between; a leak would give fifty numbers.
            #expect(descriptors.count < 25, "each number is free again for the next tap")
            #expect(loop.buffers.lentCount == loop.buffers.count)
        }

        @Test func refusalsNameTheWayOut() throws {
            let bench = try TapBench(queues: 1)
            defer { bench.loop.close() }
            let taken = #expect(throws: UringError.self) {
                try TapDevice(name: "tap0", namespace: bench.space)
            }
            #expect(taken?.what.hasPrefix("the device name tap0 is taken") == true)
            let missing = #expect(throws: UringError.self) {
                try TapDevice(name: "tap1", namespace: "vxu-nowhere")
            }
            #expect(
                missing?.description == "network namespace vxu-nowhere does not exist: create it"
                    + " (`ip netns add vxu-nowhere`) or correct its name")
            let long = #expect(throws: UringError.self) {
                try TapDevice(name: "a-name-of-more-than-15", namespace: bench.space)
            }
            #expect(long?.what == "a-name-of-more-than-15 cannot be the name of a tap")
            #expect(try NetworkDevice.named("lo").index == 1)
            #expect(throws: UringError.self) { try NetworkDevice.named("tap0") }
        }

        @Test func theDeviceIsAsAskedFor() throws {
            let bench = try TapBench(queues: 1)
            defer { bench.loop.close() }
            let device = try NetworkNamespace.run(in: bench.space) { () throws(UringError) in
                try NetworkDevice.named("tap0")
            }
            #expect(device.mtu == 1450)
            #expect(device.macAddress == 0x0200_0000_0001)
            #expect(device.isUp)
            #expect(device.index == bench.tap.index)
            let holder = try NetworkNamespace.run(in: bench.space) { () throws(UringError) in
                try NetworkDevice.holding(address: Self.near)
            }
            #expect(holder?.name == "tap0")
        }

        static func threadNames() -> [String] {
            var names: [String] = []
            guard let folder = unsafe opendir("/proc/self/task") else { return [] }
            defer { unsafe closedir(folder) }
            while let entry = unsafe readdir(folder) {
                let id = unsafe withUnsafePointer(to: entry.pointee.d_name) {
                    unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
                guard let file = unsafe fopen("/proc/self/task/\(id)/comm", "r") else { continue }
                var line = [CChar](repeating: 0, count: 64)
                if unsafe fgets(&line, 64, file) != nil {
                    names.append(
                        String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self))
                }
                unsafe fclose(file)
            }
            return names
        }
    }
}
