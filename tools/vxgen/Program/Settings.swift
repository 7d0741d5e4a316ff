import Generator
import Wire

/// What a run is asked for, by names: the options of the command line and the keys of a profile
/// are the same, and are read here.
struct Settings {
    var rate: Rate = .packetsPerSecond(1000)
    var duration: RunDuration?
    var count: UInt64?
    var warmUp: RunDuration?
    var burst = 1
    var workers = 1
    var receiveWorkers = 1
    var seed: UInt64 = 1
    var learns = false
    var isPinned = false
    var isRoundTrip = false

    var device: String?
    var tap: String?
    var netns: String?
    var vxlan: Endpoint?
    var vxlanSource: IPv4Address?
    var sourcePorts = 16
    var outerTTL: UInt8 = 64
    var outerDSCP: UInt8 = 0
    var outerDF = false

    var receive: String?
    var receiveTap: String?
    var receiveVXLAN: Endpoint?
    var receiveNetns: String?

    /// One without a profile.
    var streams = [
        StreamPlan(
            sizes: FrameSizes("64")!,
            space: FlowSpace(
                source: IPv4Prefix("198.18.0.0/16")!, destination: IPv4Prefix("198.19.0.0/16")!,
                seed: 1))
    ]

    /// Why a value is none; without the name it was given for.
    struct Problem: Error {
        let text: String

        init(_ text: String) { self.text = text }
    }

    /// Sets one value of the run, or of all its streams.
    mutating func set(_ name: String, _ text: String) throws(Problem) {
        if let field = Self.fields[name] { return try field(&self, text) }
        guard let field = StreamFields.all[name] else {
            throw Problem("there is no such setting")
        }
        for index in streams.indices { try field(&streams[index], text) }
    }

    typealias Field = @Sendable (inout Settings, String) throws(Problem) -> Void

    /// The names of everything that is not a stream's.
    static let fields: [String: Field] = [
        "rate": { settings, text throws(Problem) in
            settings.rate = try Forms.take(
                Rate(text), "give a rate as in 600pps, 1.5Mpps, 2Gbit/s, or max")
        },
        "duration": { settings, text throws(Problem) in
            settings.duration = try Forms.duration(text)
        },
        "warm-up": { settings, text throws(Problem) in
            settings.warmUp = try Forms.duration(text)
        },
        "count": { settings, text throws(Problem) in
            settings.count = try Forms.number(text, 1...UInt64.max)
        },
        "burst": { settings, text throws(Problem) in
            settings.burst = try Forms.number(text, 1...RunPlan.maximumBurst)
        },
        "workers": { settings, text throws(Problem) in
            settings.workers = try Forms.number(text, 1...RunPlan.maximumWorkers)
        },
        "receive-workers": { settings, text throws(Problem) in
            settings.receiveWorkers = try Forms.number(text, 1...RunPlan.maximumReceiveWorkers)
        },
        "seed": { settings, text throws(Problem) in
            settings.seed = try Forms.number(text, 0...UInt64.max)
        },
        "learn": { settings, text throws(Problem) in settings.learns = try Forms.flag(text) },
        "pin": { settings, text throws(Problem) in settings.isPinned = try Forms.flag(text) },
        "round-trip": { settings, text throws(Problem) in
            settings.isRoundTrip = try Forms.flag(text)
        },
        "device": { settings, text throws(Problem) in settings.device = try Forms.name(text) },
        "tap": { settings, text throws(Problem) in settings.tap = try Forms.name(text) },
        "netns": { settings, text throws(Problem) in settings.netns = try Forms.name(text) },
        "vxlan": { settings, text throws(Problem) in settings.vxlan = try Forms.endpoint(text) },
        "vxlan-source": { settings, text throws(Problem) in
            settings.vxlanSource = try Forms.take(IPv4Address(text), "give an IPv4 address")
        },
        "source-ports": { settings, text throws(Problem) in
            settings.sourcePorts = try Forms.number(text, 1...RunPlan.maximumSourcePorts)
        },
        "outer-ttl": { settings, text throws(Problem) in
            settings.outerTTL = try Forms.number(text, 1...255)
        },
        "outer-dscp": { settings, text throws(Problem) in
            settings.outerDSCP = try Forms.number(text, 0...63)
        },
        "outer-df": { settings, text throws(Problem) in settings.outerDF = try Forms.flag(text) },
        "receive": { settings, text throws(Problem) in settings.receive = try Forms.name(text) },
        "receive-tap": { settings, text throws(Problem) in
            settings.receiveTap = try Forms.name(text)
        },
        "receive-vxlan": { settings, text throws(Problem) in
            settings.receiveVXLAN = try Forms.endpoint(text)
        },
        "receive-netns": { settings, text throws(Problem) in
            settings.receiveNetns = try Forms.name(text)
        },
    ]
}
