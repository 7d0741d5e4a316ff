import Foundation

/// What `vxgate show … --json` prints, as far as the tests look at it. Written down here again, and
/// not imported from the program, because these shapes are a contract with scripts.
/// Keys are those of the JSON text in camel case.
enum Shown {
    static func decode<Report: Decodable>(_ text: String) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(text.utf8))
    }

    struct Counters: Decodable {
        var stages: [Stage]
        var totals: Totals
        var events: [String: UInt64]
    }

    struct Stage: Decodable {
        var stage: String
        var packets: UInt64
        var bytes: UInt64
        var drops: UInt64
        var vectors: UInt64
        var packetsPerVector: Double
        var clocksPerPacket: Double
    }

    struct Totals: Decodable, Equatable {
        var received: UInt64
        var transmitted: UInt64
        var replicated: UInt64
        var consumed: UInt64
        var dropped: UInt64
        var held: UInt64

        /// The identity of the packet accounts.
        var balance: Bool { received + replicated == transmitted + consumed + dropped + held }
    }

    struct Drop: Decodable {
        var reason: String
        var stage: String
        var packets: UInt64
    }

    struct Entry: Decodable {
        var vsi: String
        var vni: UInt32?
        var mac: String
        var kind: String
        var port: String?
        var peer: String?
        var address: String?
    }

    struct Port: Decodable {
        var name: String
        var type: String
        var device: String
        var vsi: String
        var state: String
        var rxPackets: UInt64
        var txPackets: UInt64
    }
}
