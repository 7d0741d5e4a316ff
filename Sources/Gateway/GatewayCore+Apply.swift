internal import Control
internal import Dataplane
internal import Logging
internal import Uring
internal import Wire

/// A new configuration, carried out as one change.
extension GatewayCore {
    /// Opens what is new, changes the tables, and closes what is gone. What the two configurations
    /// have in common goes on without losing a packet.
    /// - Returns: what changed, one line each.
    func apply(_ configuration: Configuration, text: String) throws(ControlError) -> [String] {
        let plan = ConfigurationPlan(from: self.configuration, to: configuration)
        guard plan.restartRequired.isEmpty else {
            throw .conflict(plan.restartRequired.joined(separator: "; "))
        }
        guard !plan.isEmpty else {
            self.text = text
            return []
        }
        do throws(GatewayError) {
            try Capacity.check(configuration)
        } catch {
            throw .conflict(error.description)
        }
        let effective = configuration.withNativePorts()
        let wanted = effective.deviceKeys
        let gone = topology.devices.keys.filter { !wanted.contains($0) }
        let opened = try open(wanted.filter { topology.devices[$0] == nil })
        let hasOtherOuter = !Underlay.isSameOuter(
            agent.configuration.vtep, configuration.vtep)
        if hasOtherOuter { try replan(configuration.vtep) }
        let before = owners
        let leaving = gone.compactMap(agent.deviceIndex)
        for (key, device) in opened { topology.keep(device, as: key) }
        take(effective, without: gone)
        self.configuration = configuration
        if hasOtherOuter { replaceUnderlay() }
        detach(leaving)
        for key in gone { topology.remove(key) }
        for key in opened.keys { attach(key) }
        accounts.reset(owners.subtracting(before))
        self.text = text
        log.notice("configuration applied", metadata: ["changes": "\(plan.lines.count)"])
        return plan.lines
    }

    /// The tables change in one step, devices that stay known keep their index.
    private func take(_ configuration: Configuration, without gone: [DeviceKey]) {
        var environment = agent.environment
        environment.underlayMTU = underlay.mtu(to: configuration.peers.map(\.address))
        for key in gone { environment.devicesUp.remove(key) }
        for key in topology.devices.keys where topology.isUp(key) && !gone.contains(key) {
            environment.devicesUp.insert(key)
        }
        agent.apply(configuration, environment, now: now)
    }

    private func open(
        _ keys: Set<DeviceKey>
    ) throws(ControlError) -> [DeviceKey: Topology.Device] {
        var opened: [DeviceKey: Topology.Device] = [:]
        for key in keys {
            do throws(GatewayError) {
                opened[key] = try topology.open(
                    key, underlayMTU: agent.environment.underlayMTU)
            } catch {
                throw .conflict(error.description)
            }
        }
        return opened
    }

    private func replan(_ vtep: Configuration.VTEP) throws(ControlError) {
        do throws(GatewayError) {
            try underlay.replan(vtep)
        } catch {
            throw .conflict(error.description)
        }
    }
}
