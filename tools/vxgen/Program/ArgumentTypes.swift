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
}

extension Rate: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension RunDuration: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
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
