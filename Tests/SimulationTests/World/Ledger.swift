/// How often each frame of a host was delivered, and how often the wire itself doubled it.
struct Ledger {
    private struct Delivery: Hashable {
        var tag: TaggedFrame.Tag
        var host: Int
        /// A host that moved is another receiver.
        var epoch: Int
        /// By MAC address: a copy that was flooded past it on the way to a router is another.
        var destination: UInt64
    }

    private var deliveries: [Delivery: Int] = [:]
    private var doubled: [TaggedFrame.Tag: Int] = [:]
    /// How often its host took a question: a flooded one may follow a host that moves.
    private var taken: [TaggedFrame.Tag: Int] = [:]

    mutating func double(_ tag: TaggedFrame.Tag?) {
        guard let tag else { return }
        doubled[tag, default: 0] += 1
    }

    /// Counts a delivery; gives how many were more than the wire accounts for.
    /// - Parameter isTaken: the frame is for the host and not flooded past it.
    mutating func deliver(
        _ tag: TaggedFrame.Tag, to host: Int, epoch: Int, destination: UInt64, isTaken: Bool
    ) -> Int {
        if isTaken { taken[tag, default: 0] += 1 }
        let delivery = Delivery(tag: tag, host: host, epoch: epoch, destination: destination)
        let count = deliveries[delivery, default: 0] + 1
        deliveries[delivery] = count
        return max(0, count - allowed(tag))
    }

    /// Every doubling of a frame makes each copy one more at most, and every question that was
    /// taken makes an answer.
    private func allowed(_ tag: TaggedFrame.Tag) -> Int {
        let own = 1 << min(doubled[tag, default: 0], 16)
        guard tag.kind == 0 else { return own }
        var question = tag
        question.kind = 8
        return own * max(taken[question, default: 0], 1)
    }
}
