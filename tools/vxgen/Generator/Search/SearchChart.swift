/// Loss and latency over load as one SVG picture that needs nothing else: a colour for each frame
/// size, dots for trials, lines through their medians, dashes at what was found for the goals.
public struct SearchChart: Sendable {
    private let records: [SearchRecord]
    private let highestLoad: Double
    /// Between the marks of the load axis.
    private let loadStep: Double

    private static let colours = [
        "#1b6ca8", "#c8553d", "#3c8d2f", "#8a5ab0", "#b8860b", "#2f8f8f", "#a03060", "#555555",
    ]
    private static let left = 70.0
    private static let width = 640.0
    private static let height = 220.0
    private static let lossTop = 50.0
    private static let latencyTop = 340.0
    private static let lossMarks: [(value: Double, text: String)] = [
        (1, "100 %"), (0.1, "10 %"), (0.01, "1 %"), (1e-3, "0.1 %"), (1e-4, "0.01 %"),
        (1e-5, "0.001 %"), (0, "0"),
    ]
    /// What is less is drawn on the base line.
    private static let leastLoss = 1e-6

    public init(_ records: [SearchRecord]) {
        self.records = records
        let highest = max(1, records.flatMap(\.trials).map(\.load).max() ?? 1)
        loadStep = Self.step(below: highest / 4)
        highestLoad = (highest / loadStep).rounded(.up) * loadStep
    }

    public var svg: String {
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 620\""
                + " font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"860\" height=\"620\" fill=\"#ffffff\"/>",
        ]
        parts += frame(
            Self.lossTop, "loss ratio", Self.lossMarks, lossPlace)
        let most = highestLatency
        parts += frame(
            Self.latencyTop, "latency in us (line p50, dashes p99)", decades(upTo: most)
        ) { latencyPlace($0, most) }
        for (number, record) in records.enumerated() {
            let colour = Self.colours[number % Self.colours.count]
            parts += lossSeries(record, colour)
            parts += latencySeries(record, colour, most)
            parts.append(legend(record, number, colour))
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    // MARK: Series

    private func lossSeries(_ record: SearchRecord, _ colour: String) -> [String] {
        let sound = record.trials.filter { $0.fault == nil }
        var parts = sound.map { trial in
            "<circle cx=\"\(x(trial.load))\" cy=\"\(text(lossPlace(trial.lossRatio)))\" r=\"2.5\""
                + " fill=\"\(colour)\" fill-opacity=\"0.5\"/>"
        }
        parts.append(
            line(medians(sound, \.lossRatio).map { ($0, lossPlace($1)) }, colour, isDashed: false))
        // The least strict goal has the highest load: names on either side of their lines.
        for (number, result) in record.results.enumerated() {
            guard let lower = result.lower else { continue }
            let side = number == 0 ? "start\" dx=\"3" : "end\" dx=\"-3"
            let bottom = Self.lossTop + Self.height
            parts.append(
                "<path d=\"M\(x(lower.load)) \(text(Self.lossTop))V\(text(bottom))\""
                    + " stroke=\"\(colour)\" stroke-dasharray=\"2 3\"/>")
            parts.append(
                "<text x=\"\(x(lower.load))\" y=\"\(text(Self.lossTop - 4))\" fill=\"\(colour)\""
                    + " text-anchor=\"\(side)\">\(result.goal.name)</text>")
        }
        return parts
    }

    private func latencySeries(
        _ record: SearchRecord, _ colour: String, _ most: Double
    ) -> [String] {
        let measured = record.trials.filter { $0.fault == nil && $0.latency != nil }
        func values(_ path: @escaping (LatencyHistogram.Percentiles) -> UInt64) -> [(
            Double, Double
        )] {
            medians(measured) { Double($0.latency.map(path) ?? 0) / 1000 }
                .map { ($0, latencyPlace($1, most)) }
        }
        return [
            line(values(\.p50), colour, isDashed: false),
            line(values(\.p99), colour, isDashed: true),
        ]
    }

    /// For each load the median of its trials, lowest load first.
    private func medians(
        _ trials: [Trial], _ value: (Trial) -> Double
    ) -> [(load: Double, value: Double)] {
        var groups: [Double: [Double]] = [:]
        for trial in trials { groups[trial.load, default: []].append(value(trial)) }
        return groups.map { load, values in
            let sorted = values.sorted()
            return (load, sorted[(sorted.count - 1) / 2])
        }.sorted { $0.load < $1.load }
    }

    private func line(_ points: [(Double, Double)], _ colour: String, isDashed: Bool) -> String {
        let steps = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(x(point.0)) \(text(point.1))"
        }
        return "<path d=\"\(steps.joined())\" fill=\"none\" stroke=\"\(colour)\""
            + (isDashed ? " stroke-dasharray=\"6 4\"/>" : " stroke-width=\"1.5\"/>")
    }

    private func legend(_ record: SearchRecord, _ number: Int, _ colour: String) -> String {
        let y = Self.lossTop + 12 + Double(number) * 18
        return
            "<rect x=\"730\" y=\"\(text(y - 9))\" width=\"10\" height=\"10\" fill=\"\(colour)\"/>"
            + "<text x=\"746\" y=\"\(text(y))\">\(Self.escaped(record.size)) bytes</text>"
    }

    // MARK: Axes

    private func frame(
        _ top: Double, _ title: String, _ marks: [(value: Double, text: String)],
        _ place: (Double) -> Double
    ) -> [String] {
        let bottom = top + Self.height
        var parts = [
            "<text x=\"\(text(Self.left))\" y=\"\(text(top - 18))\" font-weight=\"bold\">"
                + "\(title)</text>",
            "<rect x=\"\(text(Self.left))\" y=\"\(text(top))\" width=\"\(text(Self.width))\""
                + " height=\"\(text(Self.height))\" fill=\"none\" stroke=\"#888888\"/>",
            "<text x=\"\(text(Self.left + Self.width))\" y=\"\(text(bottom + 34))\""
                + " text-anchor=\"end\">frames a second</text>",
        ]
        for mark in marks {
            let y = text(place(mark.value))
            parts.append(
                "<path d=\"M\(text(Self.left)) \(y)h\(text(Self.width))\" stroke=\"#dddddd\"/>"
                    + "<text x=\"\(text(Self.left - 6))\" y=\"\(y)\" text-anchor=\"end\""
                    + " dominant-baseline=\"middle\">\(mark.text)</text>")
        }
        for mark in 0...Int((highestLoad / loadStep).rounded()) {
            let load = Double(mark) * loadStep
            parts.append(
                "<text x=\"\(x(load))\" y=\"\(text(bottom + 16))\" text-anchor=\"middle\">"
                    + "\(mark == 0 ? "0" : Self.mark(load))</text>")
        }
        return parts
    }

    /// The largest of 1, 2 and 5 times a power of ten that is no more than `value`.
    private static func step(below value: Double) -> Double {
        var decade = 1.0
        while decade * 10 <= value { decade *= 10 }
        return [5, 2].map { $0 * decade }.first { $0 <= value } ?? decade
    }

    private static func mark(_ load: Double) -> String {
        let scales: [(Double, String)] = [(1e6, "M"), (1e3, "k")]
        guard let (scale, unit) = scales.first(where: { load >= $0.0 }) else {
            return RunReport.fixed(load, 0)
        }
        let isWhole = load.truncatingRemainder(dividingBy: scale) == 0
        return RunReport.fixed(load / scale, isWhole ? 0 : 1) + unit
    }

    private func decades(upTo most: Double) -> [(value: Double, text: String)] {
        var marks: [(value: Double, text: String)] = []
        var value = 1.0
        while value <= most {
            marks.append((value, RunReport.fixed(value, 0)))
            value *= 10
        }
        return marks
    }

    private var highestLatency: Double {
        let all = records.flatMap(\.trials).compactMap(\.latency).map { Double($0.p99) / 1000 }
        return max(10, all.max() ?? 10)
    }

    private func x(_ load: Double) -> String { text(Self.left + load / highestLoad * Self.width) }

    private func lossPlace(_ ratio: Double) -> Double {
        let decades = ratio <= Self.leastLoss ? 6 : min(6, -logarithm(ratio))
        return Self.lossTop + decades / 6 * Self.height
    }

    private func latencyPlace(_ microseconds: Double, _ most: Double) -> Double {
        let share = logarithm(max(1, microseconds)) / logarithm(most)
        return Self.latencyTop + (1 - min(1, share)) * Self.height
    }

    private func text(_ value: Double) -> String { RunReport.fixed(value, 1) }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }
}
