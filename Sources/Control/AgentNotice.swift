public import Tables
public import Wire

/// Something an operator wants to hear of that traffic brought about.
public enum AgentNotice: Sendable, Equatable {
    /// A MAC address was in too many places and stays where it was last.
    case macFrozen(MACAddress, vsi: String, place: Destination)
    case macReleased(MACAddress, vsi: String)
    /// The same for an IPv4 address of the ARP table.
    case addressFrozen(IPv4Address, vsi: String, mac: MACAddress, place: Destination)
    case addressReleased(IPv4Address, vsi: String)
    /// So many more were not told: traffic must not fill the log.
    case suppressed(Int)
}

/// Notices until somebody takes them, a few a second.
struct NoticeBoard {
    private var waiting: [AgentNotice] = []
    private var suppressed = 0
    private var second: UInt64 = 0
    private var left = Self.perSecond

    static let perSecond = 8

    mutating func add(_ notice: AgentNotice, now: UInt64) {
        renew(now: now)
        guard left > 0 else {
            suppressed += 1
            return
        }
        left -= 1
        waiting.append(notice)
    }

    mutating func take(now: UInt64) -> [AgentNotice] {
        renew(now: now)
        defer { waiting = [] }
        return waiting
    }

    private mutating func renew(now: UInt64) {
        let current = now / 1_000_000_000
        guard current != second else { return }
        second = current
        left = Self.perSecond
        if suppressed > 0 { waiting.append(.suppressed(suppressed)) }
        suppressed = 0
    }
}
