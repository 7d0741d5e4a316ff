public import ArgumentParser
public import Generator
public import Wire

/// Values are checked where they are typed, so that a misspelt one is wrong usage (exit status 2).
extension MACAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension IPv4Address: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension IPv4Prefix: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension FrameSizes: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public var defaultValueDescription: String {
        pattern.map { String($0) }.joined(separator: ",")
    }

    /// As `init`, saying what the forms are.
    static func parse(_ text: String) throws -> FrameSizes {
        guard let sizes = FrameSizes(text) else {
            throw ValidationError(
                "give \(range.lowerBound) to \(range.upperBound), a list of such, or imix")
        }
        return sizes
    }
}

extension Rate: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public var defaultValueDescription: String { "1kpps" }

    /// As `init`, saying what the forms are.
    static func parse(_ text: String) throws -> Rate {
        guard let rate = Rate(text) else {
            throw ValidationError("give a rate as in 600pps, 1.5Mpps, 2Gbit/s, or max")
        }
        return rate
    }
}

extension RunDuration {
    /// As `init`, saying what the forms are.
    static func parse(_ text: String) throws -> RunDuration {
        guard let duration = RunDuration(text) else {
            throw ValidationError("give a time as in 500ms, 10s, 5m, 1h; a week at most")
        }
        return duration
    }
}

/// A VTEP: `ADDRESS` or `ADDRESS:PORT`.
struct Endpoint: ExpressibleByArgument {
    let address: IPv4Address
    let port: UInt16

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPv4Address(String(parts[0])) else { return nil }
        self.address = address
        guard parts.count == 2 else {
            port = 4789
            return
        }
        guard let port = UInt16(parts[1]), port > 0 else { return nil }
        self.port = port
    }
}
