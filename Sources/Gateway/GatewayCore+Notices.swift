internal import Control
internal import Logging
internal import Wire

extension GatewayCore {
    /// Says in the log what traffic brought about. Never an error: no packet may cause one.
    func tellNotices() {
        for notice in agent.takeNotices(now: now) {
            switch notice {
            case .macFrozen(let mac, let vsi, let place):
                log.warning(
                    "mac frozen: it moved too often",
                    metadata: [
                        "vsi": "\(vsi)", "mac": "\(mac)", "place": "\(agent.name(of: place))",
                    ])
            case .addressFrozen(let address, let vsi, let mac, let place):
                log.warning(
                    "address frozen: it moved too often",
                    metadata: [
                        "vsi": "\(vsi)", "address": "\(address)", "mac": "\(mac)",
                        "place": "\(agent.name(of: place))",
                    ])
            case .macReleased(let mac, let vsi):
                log.notice("mac released", metadata: ["vsi": "\(vsi)", "mac": "\(mac)"])
            case .addressReleased(let address, let vsi):
                log.notice(
                    "address released", metadata: ["vsi": "\(vsi)", "address": "\(address)"])
            case .suppressed(let count):
                log.warning("more addresses frozen or released", metadata: ["count": "\(count)"])
            }
        }
    }
}
