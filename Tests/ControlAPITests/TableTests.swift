import Control
import Testing

@testable import ControlAPI

@Suite struct TableTests {
    @Test func columnsAreAligned() {
        var table = TextTable([.text("NAME"), .number("COUNT"), .text("LAST")])
        table.append(["a", "1", "x"])
        table.append(["longer", "12345678", ""])
        #expect(
            table.text == """
                NAME       COUNT  LAST
                a              1  x
                longer  12345678  -

                """)
        #expect(TextTable([.text("NAME"), .number("N")]).text == "NAME  N\n")
    }

    @Test func portsAndEntries() async throws {
        let plane = FakePlane()
        #expect(
            TextTable(try await plane.ports(Selection())).text == """
                NAME  TYPE  DEVICE  VLAN  VSI   STATE  RX-PACKETS  RX-BYTES  TX-PACKETS  TX-BYTES  \
                RX-DROPS  TX-DROPS
                vm1   tap   vm1        -  vpna  up           1234        99           7         8  \
                       0         1

                """)
        #expect(
            TextTable(Array(try await plane.fdb(Selection()))).text == """
                VSI   VNI  MAC                KIND     PORT  PEER  ADDRESS       AGE  MOVES
                vpna   10  02:aa:00:00:00:01  dynamic  vm1   -     -             12s      1
                vpna   10  00:00:00:00:00:00  flood    -     gw2   10.33.30.151    -      0
                br1     -  02:00:00:00:01:10  own      -     -     -               -      0

                """)
        #expect(
            TextTable(try await plane.vsis(Selection()).map(VNIRow.init)).text == """
                VNI  VSI   FDB  RX-PACKETS  TX-PACKETS  FLOODED  PORTS  FLOOD-LIST
                 10  vpna    2           3           4        1  vm1    gw2,border
                  -  br1     1           0           0        0  -      -

                """)
    }

    @Test func countersAndVersion() async throws {
        let plane = FakePlane()
        #expect(
            try await plane.counters().text == """
                STAGE  PACKETS  BYTES  DROPS  VECTORS  PACKETS/VECTOR  CLOCKS/PACKET
                parse       10    640      2        4             2.5          123.4

                RECEIVED  REPLICATED  TRANSMITTED  CONSUMED  DROPPED  HELD
                      10           1            9         0        2     0

                COUNT  EVENT
                    3  fdb_moves

                """)
        #expect(try await plane.version().text == "vxgate 1.0.0, gw1, pid 12, up 3h20m\n")
        let runtime = try await plane.runtime().text
        #expect(runtime.contains("     0    1  25.0%      8        4"))
        #expect(runtime.contains("\nFEATURE  STATE\nudp_gro  on\n"))
        #expect(runtime.hasSuffix("\nnot active in this version: static-routes\n"))
    }

    @Test(arguments: [
        (0, "0s"), (59, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"),
        (86_399, "23h59m"), (86_400, "1d00h"), (400_000, "4d15h"),
    ])
    func spans(seconds: Int, text: String) {
        #expect(spanText(seconds: seconds) == text)
    }

    @Test(arguments: [
        (0, "0.0"), (2.449, "2.4"), (2.45, "2.5"), (0.06, "0.1"), (-1.25, "-1.3"), (99.96, "100.0"),
        (.nan, "-"), (1e300, "-"),
    ])
    func decimals(value: Double, text: String) {
        #expect(decimalText(value) == text)
    }

    @Test func decimalsOfChosenWidth() {
        #expect(decimalText(1.005, digits: 0) == "1")
        #expect(decimalText(3.0625, digits: 3) == "3.063")
        #expect(decimalText(3.002, digits: 3) == "3.002")
    }
}

@Suite struct PercentTests {
    @Test func roundTrip() {
        for text in ["", "vpna", "a b/c?d&e=f%g#h", "ü€😀", "02:aa:00:00:00:01", "\n\0"] {
            #expect(percentDecoded(percentEncoded(text)) == text)
        }
        #expect(percentEncoded("a b:c/ü") == "a%20b:c%2F%C3%BC")
        for broken in ["%", "%1", "%zz", "%FF"] { #expect(percentDecoded(broken) == nil) }
    }
}
