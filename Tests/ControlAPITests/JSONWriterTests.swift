import Control
import Foundation
import Testing

@testable import ControlAPI

/// What the writer writes is what Foundation's encoder writes.
@Suite struct JSONWriterTests {
    private struct Tree: Encodable {
        var zeta = [[1, 2], [], [3]]
        var alpha: [String: [String: Bool]] = ["y": ["b": true, "a": false], "x": [:]]
        var beta: [Tree] = []
        var absent: Int?
        var nothing: [Int?] = [nil, 1, nil]
        var betaMore = "a prefix of a key comes before it"
    }

    private struct Nothing: Encodable {
        func encode(to encoder: any Encoder) {}
    }

    /// Writes itself in two containers, as a class with a superclass does.
    private struct Split: Encodable {
        enum Keys: String, CodingKey { case b, a, c }

        func encode(to encoder: any Encoder) throws {
            var first = encoder.container(keyedBy: Keys.self)
            try first.encode(1, forKey: .b)
            try first.encodeNil(forKey: .a)
            var second = encoder.container(keyedBy: Keys.self)
            try second.encode(Nothing(), forKey: .c)
        }
    }

    private func expectSame(
        _ value: some Encodable, _ place: SourceLocation = #_sourceLocation
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let expected = String(decoding: try encoder.encode(value), as: UTF8.self)
        let text = String(decoding: try JSONWriter.text(of: value), as: UTF8.self)
        #expect(text == expected, sourceLocation: place)
    }

    @Test func reports() async throws {
        let plane = FakePlane()
        try expectSame(Array(try await plane.fdb(Selection())))
        try expectSame(Array(try await plane.arp(Selection())))
        try expectSame(try await plane.routes(Selection()))
        try expectSame(try await plane.policies(Selection()))
        try expectSame(try await plane.vsis(Selection()))
        try expectSame(try await plane.peers(Selection()))
        try expectSame(try await plane.ports(Selection()))
        try expectSame(try await plane.counters())
        try expectSame(try await plane.drops())
        try expectSame(try await plane.runtime())
        try expectSame(try await plane.version())
        try expectSame(PingReport(sequence: 1, result: .ttlExceeded, source: "10.1.1.1"))
        try expectSame(ErrorReport(error: "a \"quoted\" word", details: ["a\n", "b\\"]))
        try expectSame(Outcome(added: 3))
        try expectSame(["mac": "02:00:00:00:00:01", "a/b": "c/d"])
    }

    @Test func shapes() throws {
        try expectSame(Tree(beta: [Tree(absent: 5), Tree()]))
        try expectSame(Split())
        try expectSame([Split()])
        try expectSame([Nothing()])
        try expectSame([Int]())
        try expectSame([String: Int]())
        try expectSame(Dictionary(uniqueKeysWithValues: (0..<40).map { ("k\($0)", $0) }))
        try expectSame(["ä": 1, "z": 2, "é": 3, "Z": 4, "": 5, "😀": 6])
    }

    @Test func strings() throws {
        let scalars = (0..<0x3000).compactMap(Unicode.Scalar.init)
        for scalar in scalars { try expectSame([String(scalar)]) }
        try expectSame(["", "😀 à la carte", "\r\n", "a/b", "\u{FEFF}x", "e\u{301}"])
        try expectSame([String(repeating: "long ", count: 5000)])
    }

    @Test func numbers() throws {
        try expectSame([Int8.min, .max, 0, -1, 9, 10, 99, 100])
        try expectSame([Int16.min, .max])
        try expectSame([Int32.min, .max])
        try expectSame([Int64.min, .max])
        try expectSame([Int.min, .max, 0, -1])
        try expectSame([UInt8.max])
        try expectSame([UInt16.max])
        try expectSame([UInt32.max])
        try expectSame([UInt64.max, 0])
        try expectSame([UInt.max])
        try expectSame([true, false])
        try expectSame([
            0.0, -0.0, 2.0, 0.25, -1.5, 0.1, 1e15, 1e16, 1e20, 1e-4, 1e-5, 1e-7, .pi,
            .greatestFiniteMagnitude, .leastNonzeroMagnitude, 123_456_789.125,
        ])
        try expectSame([Float(0.1), 2, 1e20, .greatestFiniteMagnitude])
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: EncodingError.self) { try JSONWriter.text(of: [value]) }
        }
    }

    /// One after the other, with text between them, in memory that is used again.
    @Test func oneWriterForMany() throws {
        let writer = JSONWriter()
        for _ in 0..<3 {
            writer.append("<")
            try writer.write(Split())
            writer.append(", ")
            try writer.write([1, 2])
            let text = String(decoding: writer.bytes, as: UTF8.self)
            #expect(text == #"<{"a":null,"b":1,"c":{}}, [1,2]"#)
            writer.removeAll()
        }
    }
}
