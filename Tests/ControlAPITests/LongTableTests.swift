import Control
import Glibc
import Synchronization
import Testing

@testable import ControlAPI

/// A table of 100,000 rows costs the server neither memory nor the time of others.
@Suite(.timeLimit(.minutes(5))) struct LongTableTests {
    private static let count = 100_000

    private static func row(_ index: Int) -> FDBReport {
        FDBReport(
            vsi: "vpna", vni: 10, mac: "02:00:00:\(index)", kind: .dynamic, peer: "gw2",
            address: "10.33.30.151")
    }

    /// Rows that count how many of them were made.
    private final class Maker: Sendable {
        let made = Atomic<Int>(0)

        func rows() -> Rows<FDBReport> {
            Rows(count: LongTableTests.count) { [self] index in
                made.add(1, ordering: .relaxed)
                return LongTableTests.row(index)
            }
        }
    }

    @Test func everyRowOnceInOrder() async throws {
        let maker = Maker()
        try await withServer(plane: FakePlane(fdbRows: maker.rows())) { path in
            let bytes = try ControlClient(path: path).request("GET", "/v1/fdb")
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            #expect(lines.count == Self.count)
            let rows = try ControlClient(path: path).decode([FDBReport].self, bytes)
            #expect(rows.enumerated().allSatisfy { $1 == Self.row($0) })
        }
        #expect(maker.made.load(ordering: .relaxed) == Self.count)
    }

    @Test func aClientThatDoesNotReadHoldsUpNobody() async throws {
        let maker = Maker()
        try await withServer(plane: FakePlane(fdbRows: maker.rows())) { path in
            let lazy = try ControlConnection(path: path, timeoutSeconds: 5)
            try lazy.write(Array("GET /v1/fdb HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            var before = -1
            while case let made = maker.made.load(ordering: .relaxed), made == 0 || made > before {
                before = made
                _ = try ControlClient(path: path).request("GET", "/v1/version")
                usleep(200_000)
            }
            // What its socket holds, and some parts under way.
            #expect(before < Self.count / 10)
        }
    }
}
