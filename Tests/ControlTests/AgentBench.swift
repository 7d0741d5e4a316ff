import Tables
import TestKit
import Wire

@testable import Control

/// An agent of `TestSite` with short words for what tests do to it.
struct AgentBench {
    let agent: Agent
    var now: UInt64

    init(_ configuration: Configuration = TestSite.bridged, now: UInt64 = TestGateway.start) {
        self.now = now
        agent = Agent(
            configuration: configuration,
            environment: TestGateway.environment(of: configuration), workers: 1, now: now)
    }

    static func mac(_ number: Int) -> MACAddress {
        MACAddress(bits: 0x0200_0000_0000 + UInt64(number))
    }

    func vsi(_ name: String) -> Int { agent.vsiNames[name]! }
    func port(_ name: String) -> Destination { .port(agent.portNames[name]!) }
    func peer(_ address: IPv4Address) -> Destination { .peer(agent.peerIndexes[address]!) }

    func see(_ mac: MACAddress, at place: Destination, vsi: String = "v10") {
        agent.macSeen(mac, vsi: self.vsi(vsi), place: place, address: .any, now: now)
    }

    func see(
        _ address: IPv4Address, _ mac: MACAddress, at place: Destination, vsi: String = "v10",
        isAnnouncement: Bool = false
    ) {
        agent.addressSeen(
            address, mac: mac, vsi: self.vsi(vsi), place: place, isAnnouncement: isAnnouncement,
            now: now)
    }

    /// Rows of `show fdb` but for the default entries.
    func fdb(_ change: (inout Selection) -> Void = { _ in }) throws -> [FDBReport] {
        var selection = Selection()
        change(&selection)
        return try agent.fdbReport(selection, now: now).filter { $0.kind != .flood }
    }

    func arp(_ change: (inout Selection) -> Void = { _ in }) throws -> [ARPReport] {
        var selection = Selection()
        change(&selection)
        return try agent.arpReport(selection, now: now)
    }

    /// `vsi mac kind place`, one a row, for comparing.
    func entries(_ change: (inout Selection) -> Void = { _ in }) throws -> [String] {
        try fdb(change).map {
            "\($0.vsi) \($0.mac.suffix(5)) \($0.kind.rawValue) \($0.port ?? $0.peer ?? "-")"
        }
    }

    mutating func advance(milliseconds: Int) {
        now += UInt64(milliseconds) * 1_000_000
        agent.tick(now: now)
    }

    mutating func advance(seconds: Int) {
        for _ in 0..<seconds * 4 { advance(milliseconds: 250) }
    }

    func apply(_ configuration: Configuration) {
        agent.apply(configuration, TestGateway.environment(of: configuration), now: now)
    }

    /// A change of the host: devices of these names are down.
    func setDown(_ devices: String...) {
        var environment = agent.environment
        let all = agent.configuration.accessPorts.map(DeviceKey.init)
        environment.devicesUp = Set(all.filter { !devices.contains($0.device) })
        agent.update(environment, now: now)
    }

    /// What `body` throws.
    static func error(_ body: () throws(ControlError) -> Void) -> ControlError? {
        do throws(ControlError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}

extension ControlError {
    /// The case without its text.
    var kind: String { String("\(self)".prefix { $0 != "(" }) }
}

extension Configuration {
    func changed(_ change: (inout Configuration) -> Void) -> Configuration {
        var copy = self
        change(&copy)
        return copy
    }
}
