public import Dataplane
public import Wire

/// A packet as a worker takes it from the kernel.
public struct Arrival: Sendable {
    public enum Ingress: Sendable, Equatable {
        /// An access device by its name; `tag` is one that lies beside the frame, as a packet
        /// socket gives it (`PacketBatch.tagPresent` and so on), or 0.
        case device(String, tag: UInt32)
        /// The payload of a datagram that came to the VXLAN port.
        case underlay(IPv4Address, typeOfService: UInt8)
    }

    public var ingress: Ingress
    public var bytes: [UInt8]
    public var segmentation: Segmentation

    public init(_ ingress: Ingress, _ bytes: [UInt8], segmentation: Segmentation = .none) {
        self.ingress = ingress
        self.bytes = bytes
        self.segmentation = segmentation
    }

    /// A frame on an access device, its tags in it.
    public static func device(_ name: String, _ bytes: [UInt8], tag: UInt32 = 0) -> Arrival {
        Arrival(.device(name, tag: tag), bytes)
    }

    /// The payload of a VXLAN datagram, header and all.
    public static func underlay(
        from source: IPv4Address, _ bytes: [UInt8], typeOfService: UInt8 = 0
    ) -> Arrival {
        Arrival(.underlay(source, typeOfService: typeOfService), bytes)
    }

    /// An inner frame behind a right VXLAN header.
    public static func tunnel(
        from source: IPv4Address, vni: UInt32, _ frame: [UInt8], typeOfService: UInt8 = 0
    ) -> Arrival {
        underlay(
            from: source, FrameBuilder.empty.vxlan(VNI(bits: vni)).payload(frame).bytes,
            typeOfService: typeOfService)
    }
}
