import CLinux
import Glibc
import Testing
import Uring

@Suite struct RingTests {
    @Test func everyCompletionOfAnOverflowingQueueArrives() throws {
        let ring = try UringInstance(entries: 64, completionEntries: 64)
        defer { ring.close() }
        var seen: Set<UInt64> = []
        var next: UInt64 = 0
        while next < 1000 {
            while next < 1000, ring.nop(userData: next) { next += 1 }
            ring.submit()
        }
        #expect(ring.needsEnter, "64 completions fit, 1000 were made")
        drain(ring, into: &seen)
        #expect(seen == Set(0..<1000))
        #expect(ring.statistics.overflows > 0)
        #expect(!ring.needsEnter)
    }

    private func drain(_ ring: UringInstance, into seen: inout Set<UInt64>) {
        let lanes = UnsafeMutablePointer<Completion>.allocate(capacity: 16)
        defer { unsafe lanes.deallocate() }
        var rounds = 0
        while rounds < 200, seen.count < 1000 {
            let count = unsafe ring.reap(into: lanes, limit: 16)
            for lane in 0..<count { seen.insert(unsafe lanes[lane].userData) }
            if count == 0 { ring.submit() }
            rounds += 1
        }
    }

    @Test func aFullQueueRefusesUntilItIsSubmitted() throws {
        let ring = try UringInstance(entries: 8, completionEntries: 64)
        defer { ring.close() }
        for number in 0..<8 { #expect(ring.nop(userData: UInt64(number))) }
        #expect(!ring.nop(userData: 8))
        #expect(ring.freeSubmissions == 0)
        #expect(ring.submit() == 8)
        #expect(ring.freeSubmissions == 8)
        #expect(ring.nop(userData: 9))
    }

    @Test func aWaitEndsWithItsTime() throws {
        let ring = try UringInstance(entries: 8, completionEntries: 64)
        defer { ring.close() }
        let start = Clock.now
        #expect(ring.submit(waitFor: 1, timeoutNanoseconds: 30_000_000) == 0)
        #expect((25...1000).contains(Clock.now - start))
        let enters = ring.statistics.enters
        #expect(ring.submit() == 0)
        #expect(ring.statistics.enters == enters, "nothing to do costs no system call")
    }

    @Test func anEventCounterWakesAWaitAgainAndAgain() throws {
        let ring = try UringInstance(entries: 8, completionEntries: 64)
        defer { ring.close() }
        let event = OwnedDescriptor(vx_eventfd())
        #expect(ring.armPoll(UringFile(descriptor: event.number), userData: 5))
        let lanes = UnsafeMutablePointer<Completion>.allocate(capacity: 4)
        defer { unsafe lanes.deallocate() }
        ring.submit()
        for _ in 0..<3 {
            #expect(vx_eventfd_signal(event.number) == 0)
            ring.submit(waitFor: 1, timeoutNanoseconds: 1_000_000_000)
            #expect(unsafe ring.reap(into: lanes, limit: 4) == 1)
            #expect(unsafe lanes[0].userData == 5)
            #expect(unsafe lanes[0].hasMore)
        }
    }

    @Test func theFileTableTakesReturnsAndOverflows() throws {
        let ring = try UringInstance(entries: 8, completionEntries: 64)
        defer { ring.close() }
        let file = OwnedDescriptor(vx_eventfd())
        #expect(!ring.register(file.number).isInTable, "no table was reserved")
        ring.reserveFiles(2)
        let first = ring.register(file.number)
        #expect(first.isInTable)
        #expect(ring.register(file.number).isInTable)
        #expect(!ring.register(file.number).isInTable)
        ring.remove(first)
        #expect(ring.register(file.number) == first)
    }

    @Test func featuresSayOnOrWhyNot() throws {
        let ring = try UringInstance(entries: 8, completionEntries: 64)
        defer { ring.close() }
        ring.reserveFiles(1)
        let features = UringFeatures(probing: ring)
        for feature in features.states {
            #expect(feature.state == "on" || feature.state.hasPrefix("off: "))
            print("\(feature.name): \(feature.state)")
        }
        #expect(features.states.contains { $0.name == "deferred_task_work" })
    }
}
