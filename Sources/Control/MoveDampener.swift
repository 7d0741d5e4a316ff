internal import Tables

/// Tells a host that has moved from one that seems to be in two places: whoever moves too often is
/// frozen where it was last, for a while (RFC 7432 section 15.1, RFC 9161 section 3.7).
///
/// The first move begins a window; when it has `moves` of them before its end the key is frozen.
/// A window that ends with fewer is forgotten.
///
/// Thread-safety: a value. Cost: O(log n) a move; time costs what ends.
struct MoveDampener {
    struct Settings: Equatable {
        /// Moves in one window that freeze, 0 for never.
        var moves: Int
        var windowNanoseconds: UInt64
        var freezeNanoseconds: UInt64
    }

    private struct History {
        var moves: Int
        /// Of the window, or of the freeze; nanoseconds.
        var end: UInt64
        var isFrozen = false
    }

    private(set) var settings: Settings
    private var histories: [UInt64: History] = [:]
    private var ends = DeadlineQueue()

    /// Keys watched at a time. Whoever makes up more of them gets the rest counted, not frozen.
    static let maximumKeys = 1 << 16

    init(_ settings: Settings) { self.settings = settings }

    /// How many keys are watched or frozen.
    var count: Int { histories.count }

    /// Whether a move between two places says that something is wrong when it happens often: moves
    /// between this site and another do.
    ///
    /// Between two tunnels they do not: gateways may share one MAC and one address (D2, A-P3), and
    /// a host that is doubled at two other sites is frozen there. Between two ports the last frame
    /// decides, as in any bridge; no other site has a part in it.
    static func isWatched(from: Destination, to: Destination) -> Bool { from.isPort != to.isPort }

    func isFrozen(_ key: UInt64) -> Bool { histories[key]?.isFrozen == true }

    /// A key has moved. True when it is to stay where it is now.
    /// - Precondition: it is not frozen.
    mutating func move(_ key: UInt64, now: UInt64) -> Bool {
        guard settings.moves > 0 else { return false }
        var history = histories[key] ?? History(moves: 0, end: 0)
        if history.end <= now {
            guard histories[key] != nil || histories.count < Self.maximumKeys else { return false }
            history = History(moves: 0, end: now &+ settings.windowNanoseconds)
            ends.add(key, due: history.end)
        }
        history.moves += 1
        if history.moves >= settings.moves {
            history.isFrozen = true
            history.end = now &+ settings.freezeNanoseconds
            ends.add(key, due: history.end)
        }
        histories[key] = history
        return history.isFrozen
    }

    /// The key is gone, and so is what it did.
    mutating func forget(_ key: UInt64) { histories[key] = nil }

    /// The next key whose freeze is over at `now`; nil when there is none.
    mutating func thaw(now: UInt64) -> UInt64? {
        while let entry = ends.take(now: now) {
            guard let history = histories[entry.key], history.end == entry.due else { continue }
            histories[entry.key] = nil
            if history.isFrozen { return entry.key }
        }
        return nil
    }

    /// Takes other settings. Windows and freezes that have begun go on, but end at once when
    /// nothing is to be frozen any more.
    mutating func adopt(_ settings: Settings, now: UInt64) {
        self.settings = settings
        guard settings.moves == 0 else { return }
        for key in histories.keys.sorted() {
            histories[key]?.end = now
            ends.add(key, due: now)
        }
    }
}
