import Memory
import Testing

@testable import Dataplane

/// What stays behind what, by the words of the agent.
@Suite struct HoldOrderTests {
    private let orders = FrameRing<OrderHeader>(capacity: 1 << 16)
    private let progress = AgentProgress()
    private let order: HoldOrder

    init() { order = HoldOrder(orders: orders, progress: progress) }

    private func close() {
        order.deallocate()
        orders.deallocate()
        progress.deallocate()
    }

    /// A packet with a number; false when there is no room.
    private func park(_ number: UInt8, count: Int = 60, _ barrier: HoldOrder.Barrier) -> Bool {
        let bytes = [UInt8](repeating: number, count: count)
        return unsafe bytes.withUnsafeBufferPointer {
            unsafe order.park(
                OrderHeader(kind: .resume, vsi: 3), $0.baseAddress!, count: count, behind: barrier)
        }
    }

    private func next(_ now: UInt64 = 1) -> UInt8? {
        guard let packet = unsafe order.next(now: now) else { return nil }
        defer { order.advance() }
        return unsafe packet.bytes[0]
    }

    private func turn(_ number: UInt64, takenBytes: UInt64) {
        progress.begin(number)
        progress.end(number, takenBytes: takenBytes)
    }

    private func barrier(_ key: UInt64, _ now: UInt64 = 1) -> HoldOrder.Barrier? {
        order.update()
        return order.barrier(key, now: now)
    }

    @Test func `Nothing is looked at before something has waited, and after it has come back`() {
        defer { close() }
        #expect(!order.isWatching(1) && !order.hasParked)
        order.noteHeld(7, position: 100, now: 1)
        #expect(order.isWatching(2) && barrier(8) == nil)
        order.setResuming(true)
        #expect(!order.isWatching(2), "what comes back is not parked")
        order.setResuming(false)
        turn(1, takenBytes: 100)
        #expect(barrier(7) == nil)
        #expect(!order.isWatching(2))
    }

    @Test func `A packet that the agent has not taken is waited for`() throws {
        defer { close() }
        order.noteHeld(7, position: 200, now: 1)
        turn(1, takenBytes: 100)
        #expect(park(1, try #require(barrier(7))))
        #expect(park(2, try #require(barrier(7))))
        #expect(order.hasParked && next() == nil)
        turn(2, takenBytes: 200)
        #expect(park(3, try #require(barrier(7))), "behind those that are parked")
        #expect([next(), next(), next(), next()] == [1, 2, 3, nil])
        #expect(barrier(7) == nil && !order.isWatching(2))
    }

    /// The next hop is in the tables before what waits is let go, at the end of the turn.
    @Test func `A turn that has begun is waited for`() throws {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        turn(1, takenBytes: 100)
        progress.begin(2)
        #expect(park(1, try #require(barrier(7))))
        #expect(next() == nil)
        progress.end(2, takenBytes: 100)
        #expect(next() == 1)
    }

    @Test func `Orders that have not been taken are waited for`() throws {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        let bytes = [UInt8](repeating: 0, count: 60)
        #expect(
            unsafe bytes.withUnsafeBufferPointer {
                unsafe orders.push(
                    OrderHeader(kind: .resume, vsi: 3), $0.baseAddress!, count: $0.count)
            })
        turn(1, takenBytes: 100)
        #expect(park(1, try #require(barrier(7))))
        #expect(next() == nil)
        #expect(unsafe orders.next() != nil)
        orders.advance()
        #expect(next() == 1)
    }

    @Test func `An agent that does not come back is not waited for`() throws {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        progress.begin(1)
        #expect(park(1, try #require(barrier(7, 10))))
        let late = 10 + HoldOrder.patience
        #expect(park(2, try #require(barrier(7, late - 1))))
        #expect(next(late - 1) == nil)
        #expect(next(late) == 1 && next(late) == 2)
        #expect(barrier(7, late) == nil)
    }

    @Test func `Old waiting is not looked for`() {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        #expect(order.isWatching(HoldOrder.memory))
        #expect(!order.isWatching(HoldOrder.memory + 1))
    }

    @Test func `A ring that is full takes no more`() throws {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        let returned = try #require(barrier(7))
        var count = 0
        while park(1, count: 60_000, returned) { count += 1 }
        #expect(count >= HoldOrder.capacity / 60_200 && count <= HoldOrder.capacity / 60_000)
        turn(1, takenBytes: 100)
        while next() != nil { count -= 1 }
        #expect(count == 0)
    }

    @Test func `A next hop that is unknown again waits anew, behind what is parked`() throws {
        defer { close() }
        order.noteHeld(7, position: 100, now: 1)
        #expect(order.barrier(behindParked: 7) == nil)
        #expect(park(1, try #require(barrier(7))))
        #expect(park(2, try #require(order.barrier(behindParked: 7))))
        #expect(order.barrier(behindParked: 8) == nil)
        turn(1, takenBytes: 100)
        #expect(next() == 1 && next() == 2)
        #expect(order.barrier(behindParked: 7) == nil, "nothing is parked")
        order.noteHeld(7, position: 300, now: 1)
        #expect(barrier(7) != nil)
        turn(2, takenBytes: 300)
        #expect(barrier(7) == nil)
    }

    /// With more next hops than there are places the newest are kept, and none is kept for ever.
    @Test func `However many next hops there are, the newest are remembered`() {
        defer { close() }
        for key in UInt64(1)...20_000 { order.noteHeld(key, position: key * 8, now: 1) }
        let newest = (UInt64(19_001)...20_000).count { barrier($0) != nil }
        #expect(newest > 950, "\(newest) of 1000")
        #expect((UInt64(1)...1000).allSatisfy { barrier($0) == nil })
        turn(1, takenBytes: 160_000)
        #expect((UInt64(1)...20_000).allSatisfy { barrier($0) == nil })
        #expect(!order.isWatching(2))
    }
}
