/// How one kind of value is written: reads a scalar's text or says what is wrong with it and what
/// is expected.
struct ValueForm<Value> {
    let read: (String) throws(FormProblem) -> Value

    func map<Other>(
        _ transform: @escaping (Value) throws(FormProblem) -> Other
    ) -> ValueForm<Other> {
        ValueForm<Other> { text throws(FormProblem) in try transform(try read(text)) }
    }
}

/// What is wrong with a value, and what to write instead.
struct FormProblem: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

extension ValueForm where Value == Bool {
    static var boolean: Self {
        Self { text throws(FormProblem) in
            switch text.lowercased() {
            case "on", "true", "yes": return true
            case "off", "false", "no": return false
            default: throw FormProblem("\(quoted(text)) is neither on nor off")
            }
        }
    }
}

extension ValueForm where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self { text throws(FormProblem) in
            let expected = "a number from \(range.lowerBound) to \(range.upperBound) is expected"
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw FormProblem("\(quoted(text)) is not a number: \(expected)")
            }
            guard let value = Int(text), range.contains(value) else {
                throw FormProblem("\(quoted(text)) is out of range: \(expected)")
            }
            return value
        }
    }

    /// Milliseconds, written with a unit: `500ms`, `300s`, `20m`, `1h`, `1d`.
    static func milliseconds(_ range: ClosedRange<Int>) -> Self {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        return Self { text throws(FormProblem) in
            let value = try quantity(text, units: units, what: "a time", example: "300s or 5m")
            guard range.contains(value) else {
                let span = "\(timeText(range.lowerBound)) to \(timeText(range.upperBound))"
                throw FormProblem("\(quoted(text)) is out of range: \(span) is expected")
            }
            return value
        }
    }

    /// Microseconds, written with a unit: `20us`, `1ms`, `1s`; 0 needs none.
    static func microseconds(_ range: ClosedRange<Int>) -> Self {
        let units = [("us", 1), ("ms", 1000), ("s", 1_000_000)]
        return Self { text throws(FormProblem) in
            let value =
                try text == "0"
                ? 0 : quantity(text, units: units, what: "a time", example: "20us or 1ms")
            guard range.contains(value) else {
                let span = "\(spinText(range.lowerBound)) to \(spinText(range.upperBound))"
                throw FormProblem("\(quoted(text)) is out of range: \(span) is expected")
            }
            return value
        }
    }

    /// Whole seconds.
    static func seconds(_ range: ClosedRange<Int>) -> Self {
        milliseconds(range.lowerBound * 1000...range.upperBound * 1000).map {
            milliseconds throws(FormProblem) in
            guard milliseconds % 1000 == 0 else {
                throw FormProblem("whole seconds are expected, as in 300s or 5m")
            }
            return milliseconds / 1000
        }
    }

    /// Packets a second: `600pps`, `10kpps`, `1Mpps`.
    static func packetsPerSecond(_ range: ClosedRange<Int>) -> Self {
        let units = [("pps", 1), ("kpps", 1000), ("Mpps", 1_000_000)]
        return Self { text throws(FormProblem) in
            let value = try quantity(text, units: units, what: "a rate", example: "600pps or 1Mpps")
            guard range.contains(value) else {
                let span = "\(range.lowerBound)pps to \(range.upperBound)pps"
                throw FormProblem("\(quoted(text)) is out of range: \(span) is expected")
            }
            return value
        }
    }
}

extension ValueForm {
    /// One of a few words.
    static func word(_ words: [(String, Value)]) -> Self {
        Self { text throws(FormProblem) in
            if let found = words.first(where: { $0.0 == text }) { return found.1 }
            let names = words.map(\.0)
            let expected = names.joined(separator: ", ")
            let near = suggestion(for: text, among: names)
            throw FormProblem("\(quoted(text)) is not one of \(expected)\(near)")
        }
    }

    /// A word of its own, such as `auto`, or what another form reads.
    static func word<Other>(
        _ word: String, _ value: Value, or form: ValueForm<Other>,
        _ wrap: @escaping (Other) -> Value
    ) -> Self {
        Self { text throws(FormProblem) in
            if text == word { return value }
            do throws(FormProblem) {
                return wrap(try form.read(text))
            } catch {
                throw FormProblem("\(error.text), or '\(word)'")
            }
        }
    }
}

extension ValueForm where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the cases of an enumeration.
    static var enumeration: Self { .word(Value.allCases.map { ($0.rawValue, $0) }) }
}

/// A number with a unit, as a whole multiple of the smallest unit.
private func quantity(
    _ text: String, units: [(name: String, factor: Int)], what: String, example: String
) throws(FormProblem) -> Int {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text[digits.endIndex...]
    guard !digits.isEmpty, let factor = units.first(where: { $0.name == unit })?.factor else {
        let advice =
            digits.count == text.count && !text.isEmpty ? " has no unit" : " is not \(what)"
        throw FormProblem("\(quoted(text))\(advice): write \(what) such as \(example)")
    }
    guard let number = Int(digits) else {
        throw FormProblem("\(quoted(text)) is out of range: write \(what) such as \(example)")
    }
    let (value, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else {
        throw FormProblem("\(quoted(text)) is out of range: write \(what) such as \(example)")
    }
    return value
}

/// Microseconds as an operator writes them.
func spinText(_ microseconds: Int) -> String {
    microseconds % 1000 == 0 ? timeText(microseconds / 1000) : "\(microseconds)us"
}

/// Milliseconds as an operator writes them.
func timeText(_ milliseconds: Int) -> String {
    if milliseconds % 1000 != 0 { return "\(milliseconds)ms" }
    return "\(milliseconds / 1000)s"
}
