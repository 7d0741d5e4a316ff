import Testing
import Wire

@Suite struct ECNTests {
    /// RFC 6040 section 4.2, figure 4: rows are the inner codepoint, columns the outer one, both in
    /// the figure's order Not-ECT, ECT(0), ECT(1), CE.
    static let figure: [[UInt8?]] = [
        [0, 0, 0, nil],
        [2, 2, 1, 3],
        [1, 1, 1, 3],
        [3, 3, 3, 3],
    ]

    @Test func `All sixteen combinations follow the figure`() {
        let order: [UInt8] = [0, 2, 1, 3]
        for row in 0..<4 {
            for column in 0..<4 {
                #expect(
                    ECN.decapsulated(inner: order[row], outer: order[column])
                        == Self.figure[row][column],
                    "inner \(order[row]) outer \(order[column])")
            }
        }
    }

    @Test func `Bits above the codepoint do not matter`() {
        for inner in UInt8.min...UInt8.max {
            #expect(ECN.encapsulated(inner: inner) == inner & 3)
            for outer in UInt8.min...UInt8.max {
                #expect(
                    ECN.decapsulated(inner: inner, outer: outer)
                        == ECN.decapsulated(inner: inner & 3, outer: outer & 3))
            }
        }
    }
}
