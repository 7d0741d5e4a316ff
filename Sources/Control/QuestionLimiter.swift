internal import Tables
internal import Wire

/// Which questions have been asked a moment ago and need not be asked again: an absent host costs
/// one request a second, however often it is asked for (RFC 1122 section 2.3.2.1).
///
/// Thread-safety: a value. Cost: O(1) a question, and one more when its time is over.
struct QuestionLimiter {
    /// Who asks for whom, and from where: a neighbor key, an address and a place.
    struct Question: Hashable {
        var target: UInt64
        var sender: IPv4Address
        var place: Destination
    }

    private var ends: [Question: UInt64] = [:]
    /// In the order in which they end, as all last equally long; the first `ended` of it have.
    private var order: [(question: Question, end: UInt64)] = []
    private var ended = 0

    /// Questions remembered at a time; more are asked each time.
    static let maximumQuestions = 1 << 16

    var count: Int { ends.count }

    /// True when nobody has asked this for `nanoseconds`; it counts as asked now then.
    mutating func admits(_ question: Question, for nanoseconds: UInt64, now: UInt64) -> Bool {
        forget(now: now)
        guard ends[question] == nil else { return false }
        guard ends.count < Self.maximumQuestions else { return true }
        ends[question] = now &+ nanoseconds
        order.append((question, now &+ nanoseconds))
        return true
    }

    /// Forgets what was asked about some targets, so that it may be asked again at once.
    mutating func remove(where condition: (_ target: UInt64) -> Bool) {
        ends = ends.filter { !condition($0.key.target) }
    }

    /// Forgets what was asked long enough ago.
    mutating func forget(now: UInt64) {
        while ended < order.count, order[ended].end <= now {
            let (question, end) = order[ended]
            // One that was removed may have been asked again since.
            if ends[question] == end { ends[question] = nil }
            ended += 1
        }
        guard ended > 1024 || ended == order.count else { return }
        order.removeFirst(ended)
        ended = 0
    }
}
