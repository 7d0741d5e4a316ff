public import ArgumentParser
public import Logging
public import Wire

// Addresses and levels are checked where they are typed, so that a misspelt one is wrong usage (exit
// status 2).

extension MACAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension IPv4Address: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
