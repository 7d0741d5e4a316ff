import Glibc

/// Packets that the kernel refused or lost before any worker saw them, since the start: the
/// counters of the network namespace, less what they were when the gateway began.
struct KernelLosses {
    private let start: [String: UInt64]

    /// The rows of `show drops` with stage `kernel`: name, the counters that add up to it, and what
    /// it means.
    static let reasons: [(name: String, counters: [String], text: String)] = [
        (
            "kernel_socket_overflow", ["Udp.RcvbufErrors", "Udp.MemErrors"],
            "the receive buffer of a socket was full"
        ),
        ("kernel_udp_checksum", ["Udp.InCsumErrors"], "the outer UDP checksum is wrong"),
        (
            "kernel_ip_discard",
            [
                "Ip.InHdrErrors", "Ip.InAddrErrors", "Ip.InDiscards", "Ip.ReasmFails",
                "IpExt.InTruncatedPkts",
            ], "the kernel refused the outer packet"
        ),
    ]

    init() { start = Self.read() }

    /// Packets by reason.
    func since() -> [(name: String, packets: UInt64, text: String)] {
        let now = Self.read()
        return Self.reasons.map { reason in
            let sum = reason.counters.reduce(UInt64(0)) { sum, name in
                sum + ((now[name] ?? 0) &- (start[name] ?? 0))
            }
            return (reason.name, sum, reason.text)
        }
    }

    /// Packets that a device of this namespace has dropped on their way out, ever: for a tap, those
    /// that its reader was too slow for.
    static func outgoing(of device: String) -> UInt64 {
        parseDevices(contents("/proc/thread-self/net/dev"))[device] ?? 0
    }

    /// Lines of `name: counters`, eight of what was received before those of what was sent: bytes,
    /// packets, errors, drops.
    static func parseDevices(_ text: String) -> [String: UInt64] {
        var drops: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            guard let end = line.lastIndex(of: ":") else { continue }
            let counters = line[line.index(after: end)...].split(separator: " ")
            guard counters.count >= 12, let count = UInt64(counters[11]) else { continue }
            drops[line[..<end].drop { $0 == " " }.description] = count
        }
        return drops
    }

    private static func read() -> [String: UInt64] {
        parse(contents("/proc/thread-self/net/snmp"))
            .merging(parse(contents("/proc/thread-self/net/netstat"))) { first, _ in first }
    }

    /// Pairs of lines: names, then values, both beginning with the protocol.
    static func parse(_ text: String) -> [String: UInt64] {
        var values: [String: UInt64] = [:]
        let lines = text.split(separator: "\n")
        for (names, numbers) in zip(lines, lines.dropFirst()) {
            let keys = names.split(separator: " ")
            let entries = numbers.split(separator: " ")
            guard let label = keys.first, label == entries.first, keys.count == entries.count
            else { continue }
            for (key, entry) in zip(keys, entries).dropFirst() {
                guard let value = UInt64(entry) else { continue }
                values["\(label.dropLast()).\(key)"] = value
            }
        }
        return values
    }

    private static func contents(_ path: String) -> String {
        guard let file = unsafe fopen(path, "re") else { return "" }
        defer { unsafe fclose(file) }
        var text = [UInt8]()
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { break }
            text += chunk[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
