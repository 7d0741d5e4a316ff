import Generator
import Wire

/// The settings that describe a stream, by their names.
enum StreamFields {
    typealias Field = @Sendable (inout StreamPlan, String) throws(Settings.Problem) -> Void

    static let all: [String: Field] = headers.merging(traffic) { first, _ in first }

    private static let traffic: [String: Field] = [
        "name": { stream, text throws(Settings.Problem) in stream.name = try Forms.name(text) },
        "flows": { stream, text throws(Settings.Problem) in
            stream.flows = try Forms.number(text, 1...Stamp.maximumStreams)
        },
        "weight": { stream, text throws(Settings.Problem) in
            stream.weight = try Forms.number(text, StreamPlan.weights)
        },
        "size": { stream, text throws(Settings.Problem) in
            let range = FrameSizes.range
            stream.sizes = try Forms.take(
                FrameSizes(text),
                "give \(range.lowerBound) to \(range.upperBound), a list of such, imix, or a"
                    + " genome of RFC 6985 as in aag or aaAA,A=594")
        },
        "addresses": { stream, text throws(Settings.Problem) in
            guard text == "random" || text == "sequential" else {
                throw Settings.Problem("give random or sequential")
            }
            stream.space.isSequential = text == "sequential"
        },
    ]

    private static let headers: [String: Field] = [
        "source": { stream, text throws(Settings.Problem) in
            stream.space.source = try Forms.prefix(text)
        },
        "destination": { stream, text throws(Settings.Problem) in
            stream.space.destination = try Forms.prefix(text)
        },
        "source-mac": { stream, text throws(Settings.Problem) in
            stream.space.sourceMACs.first = try Forms.mac(text)
        },
        "source-macs": { stream, text throws(Settings.Problem) in
            stream.space.sourceMACs.count = try Forms.number(text, 1...16_777_216)
        },
        "destination-mac": { stream, text throws(Settings.Problem) in
            stream.space.destinationMACs.first = try Forms.mac(text)
        },
        "destination-macs": { stream, text throws(Settings.Problem) in
            stream.space.destinationMACs.count = try Forms.number(text, 1...16_777_216)
        },
        "udp-source": { stream, text throws(Settings.Problem) in
            stream.space.sourcePorts = try Forms.range(text, 1...65535)
        },
        "udp-destination": { stream, text throws(Settings.Problem) in
            stream.space.destinationPorts = try Forms.range(text, 1...65535)
        },
        "vlan": { stream, text throws(Settings.Problem) in
            stream.space.vlans = try Forms.range(text, 1...4094)
        },
        "vni": { stream, text throws(Settings.Problem) in
            let range = VNI.configurable
            stream.space.vnis = try Forms.range(
                text, UInt32(range.lowerBound)...UInt32(range.upperBound))
        },
        "ttl": { stream, text throws(Settings.Problem) in
            stream.timeToLive = try Forms.number(text, 1...255)
        },
        "dscp": { stream, text throws(Settings.Problem) in
            let value: UInt8 = try Forms.number(text, 0...63)
            stream.typeOfService = value << 2
        },
    ]
}
