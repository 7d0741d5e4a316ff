extension Configuration {
    /// Section `system`.
    public struct System: Sendable, Hashable {
        /// Empty when the file names none: the program then takes the host's name.
        public var name: String
        public var workers: Workers
        /// For so long, at most, an idle worker looks on before it sleeps; 0...1,000,000.
        public var spinMicroseconds: Int
        /// For so long, at most, a worker lets packets gather where they come quickly; 0...1000.
        public var gatherMicroseconds: Int

        public init(
            name: String = "", workers: Workers = .automatic, spinMicroseconds: Int = 50,
            gatherMicroseconds: Int = 50
        ) {
            self.name = name
            self.workers = workers
            self.spinMicroseconds = spinMicroseconds
            self.gatherMicroseconds = gatherMicroseconds
        }
    }

    /// How many shards the dataplane has.
    public enum Workers: Sendable, Hashable {
        /// One for each CPU the process may run on.
        case automatic
        /// 1...256.
        case count(Int)
    }

    /// Section `timers`.
    public struct Timers: Sendable, Hashable {
        public var arpAgeingSeconds: Double
        /// Between two requests for one address (RFC 1122 section 2.3.2.1: at most one a second).
        public var arpRetrySeconds: Double
        /// Requests without an answer until an address counts as unreachable.
        public var arpAttempts: Int
        /// In which so many moves as `Limits.macMoves` freeze an address, and for how long it then
        /// stays where it was last (RFC 7432 section 15.1).
        public var macMoveWindowSeconds: Double
        public var macFreezeSeconds: Double

        public init(
            arpAgeingSeconds: Double = 1200, arpRetrySeconds: Double = 1, arpAttempts: Int = 3,
            macMoveWindowSeconds: Double = 180, macFreezeSeconds: Double = 180
        ) {
            self.arpAgeingSeconds = arpAgeingSeconds
            self.arpRetrySeconds = arpRetrySeconds
            self.arpAttempts = arpAttempts
            self.macMoveWindowSeconds = macMoveWindowSeconds
            self.macFreezeSeconds = macFreezeSeconds
        }
    }

    /// Section `limits`.
    public struct Limits: Sendable, Hashable {
        /// ARP packets a second that one port may send to the agent.
        public var arpPuntPerSecond: Int
        public var icmpErrorsPerSecond: Int
        /// Packets held for one next hop whose MAC is being asked for.
        public var unresolvedQueue: Int
        /// Moves in `Timers.macMoveWindowSeconds` that freeze an address, 0 for never.
        public var macMoves: Int

        public init(
            arpPuntPerSecond: Int = 600, icmpErrorsPerSecond: Int = 100, unresolvedQueue: Int = 16,
            macMoves: Int = 5
        ) {
            self.arpPuntPerSecond = arpPuntPerSecond
            self.icmpErrorsPerSecond = icmpErrorsPerSecond
            self.unresolvedQueue = unresolvedQueue
            self.macMoves = macMoves
        }
    }

    /// Section `control`: the Unix socket of the control API.
    public struct Control: Sendable, Hashable {
        public var socket: String
        /// Whose members may use the socket beside the daemon's own user.
        public var group: String?

        public static let defaultSocket = "/run/vxgate/control.sock"

        public init(socket: String = Self.defaultSocket, group: String? = nil) {
            self.socket = socket
            self.group = group
        }
    }

    /// Section `metrics`: where OpenMetrics text is served over TCP.
    public struct Metrics: Sendable, Hashable {
        /// An IPv4 address in dotted form.
        public var address: String
        public var port: UInt16

        public init(address: String, port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// Section `state`: where the daemon keeps what survives a restart.
    public struct State: Sendable, Hashable {
        public var directory: String

        public static let defaultDirectory = "/var/lib/vxgate"

        public init(directory: String = Self.defaultDirectory) { self.directory = directory }
    }
}
