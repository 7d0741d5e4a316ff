import Tables
import TestKit
import Testing

@testable import Control

@Suite struct MoveDampenerTests {
    private static let settings = MoveDampener.Settings(
        moves: 5, windowNanoseconds: 180, freezeNanoseconds: 60)

    @Test func freezesWithTheLastOfItsMovesAndNotBefore() {
        let dampener = Bench(Self.settings)
        for moment in 0..<4 as Range<UInt64> {
            #expect(!dampener.move(7, now: 1000 + moment))
            #expect(!dampener.isFrozen(7))
        }
        #expect(dampener.move(7, now: 1179))
        #expect(dampener.isFrozen(7))
        #expect(!dampener.isFrozen(8))
        #expect(dampener.thawed(at: 1238) == [])
        #expect(dampener.thawed(at: 1239) == [7])
        #expect(!dampener.isFrozen(7))
        #expect(dampener.count == 0)
    }

    @Test func aWindowBeginsWithItsFirstMove() {
        let dampener = Bench(Self.settings)
        for _ in 0..<4 { #expect(!dampener.move(7, now: 1000)) }
        // The fifth comes when the window is over, and begins another one.
        #expect(!dampener.move(7, now: 1180))
        for _ in 0..<3 { #expect(!dampener.move(7, now: 1359)) }
        #expect(dampener.move(7, now: 1359))
    }

    @Test func whatIsForgottenBeginsAnew() {
        let dampener = Bench(Self.settings)
        for _ in 0..<4 { _ = dampener.move(7, now: 1000) }
        dampener.forget(7)
        for _ in 0..<4 { #expect(!dampener.move(7, now: 1001)) }
        #expect(dampener.move(7, now: 1001))
        dampener.forget(7)
        #expect(!dampener.isFrozen(7))
        #expect(dampener.thawed(at: 9999) == [])
    }

    @Test func countsNothingWhenItIsOff() {
        let dampener = Bench(Self.settings)
        for _ in 0..<5 { _ = dampener.move(7, now: 1000) }
        #expect(dampener.isFrozen(7))
        var off = Self.settings
        off.moves = 0
        dampener.adopt(off, now: 1001)
        #expect(dampener.thawed(at: 1001) == [7])
        for _ in 0..<50 { #expect(!dampener.move(7, now: 1002)) }
        #expect(dampener.count == 0)
    }

    @Test func watchesOnlySoManyAtATime() {
        let dampener = Bench(Self.settings)
        for key in 0..<UInt64(MoveDampener.maximumKeys) { _ = dampener.move(key, now: 1000) }
        let late = UInt64.max
        for _ in 0..<10 { #expect(!dampener.move(late, now: 1001)) }
        #expect(dampener.count == MoveDampener.maximumKeys)
        #expect(dampener.thawed(at: 1180) == [])
        #expect(dampener.count == 0)
        for _ in 0..<4 { #expect(!dampener.move(late, now: 1181)) }
        #expect(dampener.move(late, now: 1181))
    }

    @Test func onlyMovesBetweenASiteAndAnotherAreWatched() {
        typealias Watched = MoveDampener
        #expect(Watched.isWatched(from: .port(1), to: .peer(1)))
        #expect(Watched.isWatched(from: .peer(1), to: .port(1)))
        #expect(!Watched.isWatched(from: .port(1), to: .port(2)))
        #expect(!Watched.isWatched(from: .peer(1), to: .peer(2)))
    }

    /// Every move of many keys at random against a list of all moves.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithAListOfMoves(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let settings = Self.settings
        let dampener = Bench(settings)
        var windows: [UInt64: [UInt64]] = [:]
        var frozen: [UInt64: UInt64] = [:]
        var now: UInt64 = 0
        for _ in 0..<3000 {
            now += UInt64(random.int(in: 0...8))
            let over = frozen.filter { $0.value <= now }.keys
            for key in over {
                frozen[key] = nil
                windows[key] = nil
            }
            #expect(dampener.thawed(at: now).sorted() == over.sorted())
            let key = UInt64(random.int(in: 0...19))
            #expect(dampener.isFrozen(key) == (frozen[key] != nil))
            guard frozen[key] == nil else { continue }
            var moves = windows[key] ?? []
            if let first = moves.first, first + settings.windowNanoseconds <= now { moves = [] }
            moves.append(now)
            windows[key] = moves
            let freezes = moves.count >= settings.moves
            if freezes { frozen[key] = now + settings.freezeNanoseconds }
            #expect(dampener.move(key, now: now) == freezes)
        }
    }

    @Test func noticesAreFewASecond() {
        var board = NoticeBoard()
        let second: UInt64 = 1_000_000_000
        for index in 0..<20 { board.add(.suppressed(-index), now: 5 * second) }
        let told = [5, 5, 6, 7].map { board.take(now: $0 * second) }
        #expect(told.map(\.count) == [NoticeBoard.perSecond, 0, 1, 0])
        #expect(told[2] == [.suppressed(20 - NoticeBoard.perSecond)])
    }
}

/// A dampener whose changes can stand inside an expectation.
private final class Bench {
    private var dampener: MoveDampener

    init(_ settings: MoveDampener.Settings) { dampener = MoveDampener(settings) }

    var count: Int { dampener.count }
    func isFrozen(_ key: UInt64) -> Bool { dampener.isFrozen(key) }
    func forget(_ key: UInt64) { dampener.forget(key) }
    func move(_ key: UInt64, now: UInt64) -> Bool { dampener.move(key, now: now) }

    func adopt(_ settings: MoveDampener.Settings, now: UInt64) {
        dampener.adopt(settings, now: now)
    }

    func thawed(at now: UInt64) -> [UInt64] {
        var keys: [UInt64] = []
        while let key = dampener.thaw(now: now) { keys.append(key) }
        return keys
    }
}
