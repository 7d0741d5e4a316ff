/// A host as small as it can be: it resolves addresses, asks by ICMP echo, answers, and remembers
/// what it was told. What it sends gathers in `outbox`.
final class SimulatedHost {
    let index: Int
    let home: Plan.Home
    let mac: UInt64
    let address: UInt32
    let router: UInt32
    /// The site it is at, and how often it has moved.
    var gateway: Int
    var port: String
    var epoch = 0
    var outbox: [[UInt8]] = []
    /// A duplicate-address check that runs until then, nanoseconds.
    var probesUntil: UInt64 = 0
    private(set) var answered: Set<UInt32> = []
    private var cache: [UInt32: Binding] = [:]
    private var waiting: [UInt32: Waiting] = [:]

    private struct Binding {
        var mac: UInt64
        var time: UInt64
    }

    private struct Waiting {
        var packets: [Packet] = []
        var attempts = 0
        var due: UInt64 = 0
    }

    private struct Packet {
        var destination: UInt32
        var tag: TaggedFrame.Tag
    }

    /// How long a host believes what it heard, and how many packets wait for an answer.
    private static let cacheNanoseconds: UInt64 = 12_000_000_000
    private static let waitingLimit = 32

    init(index: Int, home: Plan.Home, site: Site) {
        self.index = index
        self.home = home
        mac = Site.hostMAC + UInt64(home.number)
        let subnet = site.subnet(home.vsi)
        if home.vsi < 0 {
            address = (home.isBlackholed ? Site.blackhole : subnet) + 1 + UInt32(home.number)
            router = site.outsideAddress(home.gateway)
        } else {
            address = subnet + 10 + UInt32(home.number)
            router = subnet + 1
        }
        gateway = home.gateway
        port = home.vsi < 0 ? "wan" : Site.ports(index)[0]
    }

    func tag(_ kind: UInt8, to target: Int = 0xFFFF, number: UInt32 = 0) -> TaggedFrame.Tag {
        TaggedFrame.Tag(
            vsi: UInt8(truncatingIfNeeded: home.vsi), origin: UInt16(index),
            target: UInt16(target), number: number, kind: kind)
    }

    // MARK: Sending

    func ping(_ other: SimulatedHost, number: UInt32, now: UInt64) {
        let tag = tag(8, to: other.index, number: number)
        send(Packet(destination: other.address, tag: tag), now: now)
    }

    private func send(_ packet: Packet, now: UInt64) {
        let isNear = packet.destination >> 8 == address >> 8
        let hop = isNear ? packet.destination : router
        if let binding = cache[hop], now - binding.time < Self.cacheNanoseconds {
            return emit(packet, to: binding.mac)
        }
        cache[hop] = nil
        var entry = waiting[hop] ?? Waiting()
        entry.packets.append(packet)
        if entry.packets.count > Self.waitingLimit { entry.packets.removeFirst() }
        if entry.attempts == 0 {
            ask(hop)
            entry.attempts = 1
            entry.due = now + 1_000_000_000
        }
        waiting[hop] = entry
    }

    private func emit(_ packet: Packet, to destination: UInt64) {
        outbox.append(
            TaggedFrame.echo(
                source: mac, destination: destination, from: address, to: packet.destination,
                tag: packet.tag))
    }

    private func ask(_ target: UInt32) {
        outbox.append(
            TaggedFrame.arp(
                1, source: mac, destination: 0xFFFF_FFFF_FFFF, senderMAC: mac, senderIP: address,
                targetMAC: 0, targetIP: target, tag: tag(101)))
    }

    /// A question without a sender (RFC 5227 section 2.1.1).
    func probe(now: UInt64) {
        probesUntil = now + 1_000_000_000
        outbox.append(
            TaggedFrame.arp(
                1, source: mac, destination: 0xFFFF_FFFF_FFFF, senderMAC: mac, senderIP: 0,
                targetMAC: 0, targetIP: address, tag: tag(101)))
    }

    /// "I am here", as a host says after a move.
    func announce() { ask(address) }

    func timers(now: UInt64) {
        for hop in waiting.keys.sorted() {
            guard var entry = waiting[hop], entry.due <= now else { continue }
            if entry.attempts >= 3 {
                waiting[hop] = nil
                continue
            }
            entry.attempts += 1
            entry.due = now + 1_000_000_000
            waiting[hop] = entry
            ask(hop)
        }
    }

    /// The link is gone and back: what was asked for is asked again.
    func forgetQuestions() { waiting = [:] }

    // MARK: Receiving

    /// What the host heard about an address, for the world to judge.
    struct Claim {
        var address: UInt32
        var mac: UInt64
        var isReply: Bool
    }

    /// Takes a frame whose form was checked. Gives the claim of an ARP packet.
    func receive(_ bytes: [UInt8], now: UInt64) -> Claim? {
        let destination = TaggedFrame.mac(bytes, 0)
        guard destination == mac || destination == 0xFFFF_FFFF_FFFF else { return nil }
        if TaggedFrame.isARP(bytes) { return receiveARP(bytes, now: now) }
        guard destination == mac, TaggedFrame.isICMP(bytes),
            TaggedFrame.word(bytes, 30) == address, let tag = TaggedFrame.tag(bytes)
        else { return nil }
        if tag.kind == 8 {
            var answer = tag
            answer.kind = 0
            send(Packet(destination: TaggedFrame.word(bytes, 26), tag: answer), now: now)
        } else if tag.kind == 0 {
            answered.insert(tag.number)
        }
        return nil
    }

    private func receiveARP(_ bytes: [UInt8], now: UInt64) -> Claim {
        let isReply = bytes[21] == 2
        let sender = TaggedFrame.mac(bytes, 22)
        let claim = Claim(
            address: TaggedFrame.word(bytes, 28), mac: sender, isReply: isReply)
        let isForMe = TaggedFrame.word(bytes, 38) == address
        if claim.address != 0, claim.address != address,
            cache[claim.address] != nil || isForMe
        {
            cache[claim.address] = Binding(mac: sender, time: now)
            flush(claim.address, sender)
        }
        if !isReply, isForMe, claim.address != address {
            outbox.append(
                TaggedFrame.arp(
                    2, source: mac, destination: TaggedFrame.mac(bytes, 6), senderMAC: mac,
                    senderIP: address, targetMAC: sender, targetIP: claim.address, tag: tag(102)))
        }
        return claim
    }

    private func flush(_ hop: UInt32, _ destination: UInt64) {
        guard let entry = waiting.removeValue(forKey: hop) else { return }
        for packet in entry.packets { emit(packet, to: destination) }
    }
}
