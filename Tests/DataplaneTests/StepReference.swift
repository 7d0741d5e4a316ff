import Control
import Dataplane
import TestKit
import Wire

/// Says of a packet which VSI it belongs to and what may become of it, in the plainest way:
/// straight from the configuration, without the tables.
struct StepReference {
    let configuration: Configuration

    struct Origin {
        var vsi: Configuration.VSI
        /// Port or peer; nil is a peer that no configuration names.
        var place: Output.Place?
        /// Without tags and VXLAN header.
        var frame: [UInt8]

        var destination: MACAddress { Self.mac(frame, 0) }
        var source: MACAddress { Self.mac(frame, 6) }
        var isARP: Bool { frame[12] == 8 && frame[13] == 6 }

        static func mac(_ bytes: [UInt8], _ offset: Int) -> MACAddress {
            MACAddress(bits: bytes[offset..<offset + 6].reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    /// Nil for a packet that no VSI takes.
    func origin(of arrival: Arrival) -> Origin? {
        switch arrival.ingress {
        case .device(let device, let beside):
            return local(arrival.bytes, device, beside)
        case .underlay(let source, _):
            return tunnelled(arrival.bytes, source)
        }
    }

    /// A VLAN tag in front of a frame: TPID and control.
    private struct Tag {
        var type: Int
        var control: Int
        var isPriority: Bool { type == 0x8100 && control & 0xFFF == 0 }
    }

    private func popTag(_ frame: inout [UInt8]) -> Tag? {
        guard frame.count >= 18 else { return nil }
        let type = Int(frame[12]) << 8 | Int(frame[13])
        guard type == 0x8100 || type == 0x88A8 else { return nil }
        let tag = Tag(type: type, control: Int(frame[14]) << 8 | Int(frame[15]))
        frame.removeSubrange(12..<16)
        return tag
    }

    private func isTagged(_ frame: [UInt8]) -> Bool {
        frame[12] == 0x81 && frame[13] == 0 || frame[12] == 0x88 && frame[13] == 0xA8
    }

    private func isSound(_ frame: [UInt8]) -> Bool {
        guard frame.count >= 14 else { return false }
        let source = Origin.mac(frame, 6)
        return !source.isGroup && !source.isZero && !(isTagged(frame) && frame.count < 18)
    }

    private func vsi(_ name: String) -> Configuration.VSI {
        configuration.vsis.first { $0.name == name }!
    }

    private func local(_ bytes: [UInt8], _ device: String, _ beside: UInt32) -> Origin? {
        var frame = bytes
        guard frame.count >= 14, beside != 0 || isSound(frame) else { return nil }
        var tag = beside == 0 ? popTag(&frame) : Tag(type: 0x8100, control: Int(beside & 0xFFFF))
        let ports = configuration.accessPorts.filter { $0.device == device }
        var port = ports.first { $0.vlan == nil }
        if let first = tag, first.type == 0x8100,
            let mapped = ports.first(where: { $0.vlan.map(Int.init) == first.control & 0xFFF })
        {
            port = mapped
            tag = popTag(&frame)
        }
        guard let port else { return nil }
        let vsi = vsi(port.vsi)
        guard takes(tag, frame, vsi.innerVLAN == .keep ? .keep : .drop) else { return nil }
        return Origin(vsi: vsi, place: .port(port.name), frame: frame)
    }

    private func takes(
        _ tag: Tag?, _ frame: [UInt8], _ policy: Configuration.InnerVLAN
    ) -> Bool {
        guard let tag else { return !isTagged(frame) }
        if tag.isPriority { return !isTagged(frame) }
        switch policy {
        case .drop: return false
        case .strip: return !isTagged(frame)
        case .keep: return true
        }
    }

    private func tunnelled(_ bytes: [UInt8], _ source: IPv4Address) -> Origin? {
        guard bytes.count >= 22, bytes[0] & 8 != 0, source.isUnicastSource,
            source != TestSite.vtep
        else { return nil }
        let reserved = [bytes[0] & 0xF7] + bytes[1..<4] + [bytes[7]]
        if configuration.vtep.reservedBits == .strict, reserved.contains(where: { $0 != 0 }) {
            return nil
        }
        let vni = VNI(bits: bytes[4..<7].reduce(0) { $0 << 8 | UInt32($1) })
        guard let vsi = configuration.vsis.first(where: { $0.vni == vni }) else { return nil }
        let peer = configuration.peers.first { $0.address == source }
        guard peer?.carries(vni) ?? configuration.vtep.acceptUnknownPeers else { return nil }
        var frame = Array(bytes.dropFirst(8))
        guard isSound(frame) else { return nil }
        let tag = popTag(&frame)
        guard takes(tag, frame, vsi.innerVLAN) else { return nil }
        return Origin(vsi: vsi, place: peer.map { .peer($0.name) }, frame: frame)
    }

    // MARK: Outputs

    /// The VSI in which the next station will see an output: by the VNI, or by what device and tags
    /// mean on the wire. Nil when no VSI is meant.
    func vsi(of output: Output) -> Configuration.VSI? {
        switch output.place {
        case .peer: return configuration.vsis.first { $0.vni?.bits == output.vni }
        case .port(let name):
            let device = configuration.accessPorts.first { $0.name == name }!.device
            return local(output.bytes, device, 0)?.vsi
        }
    }

    /// The frame was for the gateway's MAC, and both VSIs have interfaces in one VRF.
    func mayRoute(_ origin: Origin, to vsi: Configuration.VSI) -> Bool {
        let from = configuration.vsiInterfaces.first { $0.vsi == origin.vsi.name }
        let to = configuration.vsiInterfaces.first { $0.vsi == vsi.name }
        guard let from, let to else { return false }
        return from.vrf == to.vrf && origin.destination == from.mac
    }
}
