import Generator
import Wire

/// The forms in which values are written.
enum Forms {
    static func take<Value>(_ value: Value?, _ remedy: String) throws(Settings.Problem) -> Value {
        guard let value else { throw Settings.Problem(remedy) }
        return value
    }

    static func number<Value: FixedWidthInteger>(
        _ text: String, _ range: ClosedRange<Value>
    ) throws(Settings.Problem) -> Value {
        guard let value = Value(text), range.contains(value), text.first != "+" else {
            throw Settings.Problem("give \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// `N` or `N-M`.
    static func range<Value: FixedWidthInteger>(
        _ text: String, _ limits: ClosedRange<Value>
    ) throws(Settings.Problem) -> ClosedRange<Value> {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = Value(parts[0]),
            let last = Value(parts[parts.count - 1]), limits.contains(first),
            limits.contains(last), first <= last
        else {
            throw Settings.Problem(
                "give a number of \(limits.lowerBound) to \(limits.upperBound), or a range as in"
                    + " 5-9")
        }
        return first...last
    }

    static func duration(_ text: String) throws(Settings.Problem) -> RunDuration {
        try take(RunDuration(text), "give a time as in 500ms, 10s, 5m, 1h; a week at most")
    }

    static func flag(_ text: String) throws(Settings.Problem) -> Bool {
        guard text == "true" || text == "false" else {
            throw Settings.Problem("give true or false")
        }
        return text == "true"
    }

    static func name(_ text: String) throws(Settings.Problem) -> String {
        guard !text.isEmpty, text.utf8.count <= 255 else {
            throw Settings.Problem("give a name of 1 to 255 bytes")
        }
        return text
    }

    static func mac(_ text: String) throws(Settings.Problem) -> MACAddress {
        try take(MACAddress(text), "give a MAC address as in 02:aa:00:00:00:01")
    }

    static func prefix(_ text: String) throws(Settings.Problem) -> IPv4Prefix {
        try take(IPv4Prefix(text), "give an IPv4 prefix as in 10.1.0.0/16, or an address")
    }

    static func endpoint(_ text: String) throws(Settings.Problem) -> Endpoint {
        try take(
            Endpoint(text), "give an IPv4 address, or an address and a port as in 10.0.0.1:4789")
    }
}

/// A VTEP: `ADDRESS` or `ADDRESS:PORT`.
struct Endpoint: Equatable {
    let address: IPv4Address
    let port: UInt16

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
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
