import Control
import Wire

/// A row of `show events`: what is counted beside packets and drops.
public struct EventReport: Codable, Sendable, Equatable {
    public var event: String
    public var count: UInt64

    public init(event: String, count: UInt64) {
        self.event = event
        self.count = count
    }
}

/// What a change did: how many entries it added or removed.
public struct Outcome: Codable, Sendable, Equatable {
    public var added: Int
    public var removed: Int

    public init(added: Int = 0, removed: Int = 0) {
        self.added = added
        self.removed = removed
    }
}

/// What `config apply` changed, one line each.
public struct ChangeReport: Codable, Sendable, Equatable {
    public var changes: [String]

    public init(changes: [String]) { self.changes = changes }
}

/// The body of every answer that is not a success.
public struct ErrorReport: Codable, Sendable, Equatable {
    /// One line: what happened and what to do.
    public var error: String
    /// One line for each fault of a refused configuration.
    public var details: [String]

    public init(error: String, details: [String] = []) {
        self.error = error
        self.details = details
    }
}

/// The body of `POST /v1/fdb`: `vsi`, `mac` and either `port` or `peer`.
struct FDBEntry: Equatable {
    let vsi: String
    let mac: MACAddress
    let target: FDBTarget

    init(fields: [String: String]) throws(ControlError) {
        let known = ["vsi", "mac", "port", "peer"]
        try requireKeys(fields, among: known)
        vsi = try require("vsi", of: fields)
        mac = try parseMAC(try require("mac", of: fields))
        switch (fields["port"], fields["peer"]) {
        case (let port?, nil): target = .port(port)
        case (nil, let peer?): target = .peer(peer)
        default: throw .malformed("give either `port` or `peer`")
        }
    }
}

/// The body of `POST /v1/arp`: `interface`, `address` and `mac`.
struct ARPEntry: Equatable {
    let interface: String
    let address: IPv4Address
    let mac: MACAddress

    init(fields: [String: String]) throws(ControlError) {
        try requireKeys(fields, among: ["interface", "address", "mac"])
        interface = try require("interface", of: fields)
        address = try parseAddress(try require("address", of: fields))
        mac = try parseMAC(try require("mac", of: fields))
    }
}

private func require(
    _ key: String, of fields: [String: String]
) throws(ControlError) -> String {
    guard let value = fields[key], !value.isEmpty else {
        throw .malformed("`\(key)` is missing: give it as a string")
    }
    return value
}

private func requireKeys(
    _ fields: [String: String], among known: [String]
) throws(ControlError) {
    guard let unknown = fields.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw .malformed("unknown key `\(unknown)`: the keys are \(known.joined(separator: ", "))")
}
