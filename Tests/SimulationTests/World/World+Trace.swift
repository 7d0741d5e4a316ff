internal import TestKit
internal import Wire

/// Frames in one line each, for reading what led to a finding.
extension World {
    var stamp: String { "\((now - TestGateway.start) / 1000)" }

    static func text(_ arrival: Arrival) -> String {
        switch arrival.ingress {
        case .device(let name, _): "\(name) \(text(arrival.bytes))"
        case .underlay(let source, _): "\(source) \(text(Array(arrival.bytes.dropFirst(8))))"
        }
    }

    static func text(_ bytes: [UInt8]) -> String {
        guard bytes.count >= 14 else { return "\(bytes.count) bytes" }
        let macs =
            MACAddress(bits: TaggedFrame.mac(bytes, 6)).description + ">"
            + MACAddress(bits: TaggedFrame.mac(bytes, 0)).description
        let tag = TaggedFrame.tag(bytes).map {
            " [v\($0.vsi) \($0.origin)>\($0.target) #\($0.number)]"
        }
        func address(_ offset: Int) -> String {
            IPv4Address(bits: TaggedFrame.word(bytes, offset)).description
        }
        if TaggedFrame.isARP(bytes) {
            return "\(macs) arp \(bytes[21]) \(address(28)) asks \(address(38))\(tag ?? "")"
        }
        guard TaggedFrame.isICMP(bytes) else { return "\(macs) other\(tag ?? "")" }
        return "\(macs) icmp \(bytes[34]) \(address(26))>\(address(30)) ttl \(bytes[22])"
            + (tag ?? "")
    }
}
