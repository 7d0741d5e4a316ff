internal import Wire

extension ValueForm where Value == IPv4Address {
    static var address: Self {
        Self { text throws(FormProblem) in
            guard let address = IPv4Address(text) else {
                throw FormProblem("\(quoted(text)) is not an IPv4 address such as 10.1.1.1")
            }
            return address
        }
    }

    /// An address that a single host can have.
    static var unicastAddress: Self {
        address.map { address throws(FormProblem) in try requireUnicast(address) }
    }
}

extension ValueForm where Value == IPv4Prefix {
    /// A network: no bits beyond its length.
    static var network: Self {
        Self { text throws(FormProblem) in
            guard let prefix = IPv4Prefix(text) else {
                throw FormProblem("\(quoted(text)) is not a network such as 10.1.1.0/24")
            }
            guard prefix.network == prefix.address else {
                let network = IPv4Prefix(address: prefix.network, length: prefix.length)
                throw FormProblem("\(prefix) has host bits set: did you mean \(network)?")
            }
            return prefix
        }
    }

    /// An interface's own address with the length of its subnet.
    static var interfaceAddress: Self {
        Self { text throws(FormProblem) in
            guard let prefix = IPv4Prefix(text) else {
                throw FormProblem("\(quoted(text)) is not an interface address such as 10.1.1.1/24")
            }
            guard text.contains("/") else {
                throw FormProblem("\(text) has no length: write it as \(text)/24 or \(text)/32")
            }
            _ = try requireUnicast(prefix.address)
            guard prefix.length > 0 else {
                throw FormProblem("\(prefix) has length 0: a subnet has a length of 1 to 32")
            }
            // A /31 has two hosts and neither a network nor a broadcast address (RFC 3021).
            if prefix.length <= 30 {
                guard prefix.address != prefix.network else {
                    throw FormProblem(
                        "\(prefix) is the address of the network, not of a host in it")
                }
                guard prefix.address != prefix.lastAddress else {
                    throw FormProblem("\(prefix) is the broadcast address of its subnet")
                }
            }
            return prefix
        }
    }
}

extension ValueForm where Value == MACAddress {
    static var unicastMAC: Self {
        Self { text throws(FormProblem) in
            guard let mac = MACAddress(text) else {
                throw FormProblem("\(quoted(text)) is not a MAC address such as 02:aa:00:00:00:01")
            }
            guard !mac.isZero else { throw FormProblem("\(mac) is no MAC address of a device") }
            guard !mac.isGroup else {
                throw FormProblem("\(mac) is a group address: a unicast MAC address is expected")
            }
            return mac
        }
    }
}

extension ValueForm where Value == VNI {
    static var vni: Self {
        ValueForm<Int>.integer(VNI.configurable).map { value throws(FormProblem) in
            VNI(bits: UInt32(value))
        }
    }
}

extension ValueForm where Value == ClosedRange<UInt16> {
    /// A UDP or TCP port, `443`, or a range, `80-443`.
    static var ports: Self {
        Self { text throws(FormProblem) in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = port(ends.first), let last = port(ends.last) else {
                throw FormProblem("\(quoted(text)) is not a port or a range such as 80-443")
            }
            guard first <= last else {
                throw FormProblem("\(quoted(text)) is empty: did you mean \(last)-\(first)?")
            }
            return first...last
        }
    }
}

extension ValueForm where Value == UInt8 {
    /// An IP protocol by name or number; `ports` names those that have ports.
    static var ipProtocol: Self {
        Self { text throws(FormProblem) in
            if let named = ipProtocols.first(where: { $0.name == text.lowercased() }) {
                return named.number
            }
            guard let number = UInt8(text), text.utf8.first != UInt8(ascii: "+") else {
                let names = ipProtocols.map(\.name)
                let expected = "a number from 0 to 255 or one of \(names.joined(separator: ", "))"
                let near = suggestion(for: text, among: names)
                throw FormProblem("\(quoted(text)) is not a protocol: \(expected)\(near)")
            }
            return number
        }
    }
}

/// The IP protocols that have a name here (IANA protocol numbers).
let ipProtocols: [(name: String, number: UInt8)] = [
    ("icmp", 1), ("igmp", 2), ("tcp", 6), ("udp", 17), ("gre", 47), ("esp", 50), ("ah", 51),
    ("ospf", 89), ("vrrp", 112), ("sctp", 132),
]

/// TCP, UDP and SCTP: the first four bytes behind the IP header are two ports.
let protocolsWithPorts: Set<UInt8> = [6, 17, 132]

private func port(_ text: Substring?) -> UInt16? {
    guard let text, !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }),
        let port = UInt16(text), port > 0
    else { return nil }
    return port
}

private func requireUnicast(_ address: IPv4Address) throws(FormProblem) -> IPv4Address {
    let kind: String
    if address.isMulticast {
        kind = "a multicast address"
    } else if address == .broadcast {
        kind = "the broadcast address"
    } else if address.isReserved {
        kind = "a reserved address (240.0.0.0/4)"
    } else if address.isLoopback {
        kind = "a loopback address"
    } else if address.isThisNetwork {
        kind = "an address of 0.0.0.0/8, which no host has"
    } else {
        return address
    }
    throw FormProblem("\(address) is \(kind): a unicast address is expected")
}
