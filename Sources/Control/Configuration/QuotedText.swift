/// What an operator wrote, fit for one line of a message: in quotes, control characters escaped,
/// cut at 60 characters.
func quoted(_ text: String) -> String {
    let isPlain = text.utf8.count <= 60 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if isPlain { return "'\(text)'" }
    var shown = ""
    for character in text.unicodeScalars.prefix(60) {
        if character.properties.generalCategory == .control
            || character.properties.generalCategory == .lineSeparator
            || character.properties.generalCategory == .paragraphSeparator
        {
            shown += character.escaped(asASCII: true)
        } else {
            shown.unicodeScalars.append(character)
        }
    }
    return text.unicodeScalars.count > 60 ? "'\(shown)…'" : "'\(shown)'"
}

/// The candidate that `word` most probably means, or nil when none is near: at most one mistake in
/// three letters, where a mistake is a letter missing, added, wrong or swapped with its neighbour.
func nearest(to word: String, among candidates: [String]) -> String? {
    // Keys are short: a long text is not a misspelling of one, and the distance costs the product
    // of lengths.
    guard word.utf8.count <= 40 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(Array(word.lowercased().utf8), Array(candidate.utf8))
        let allowed = max(1, max(word.utf8.count, candidate.utf8.count) / 3)
        if distance <= allowed, distance < best?.distance ?? Int.max {
            best = (candidate, distance)
        }
    }
    return best?.name
}

/// ` (did you mean 'ttl'?)`, or nothing when no candidate is near.
func suggestion(for word: String, among candidates: [String]) -> String {
    nearest(to: word, among: candidates).map { " (did you mean '\($0)'?)" } ?? ""
}

/// The optimal string alignment distance: insertions, deletions, substitutions and swaps of
/// neighbours.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var beforePrevious = [Int](repeating: 0, count: right.count + 1)
    var previous = Array(0...right.count)
    for row in 1...left.count {
        var current = [row] + [Int](repeating: 0, count: right.count)
        for column in 1...right.count {
            let isSame = left[row - 1] == right[column - 1]
            current[column] = min(
                previous[column] + 1, current[column - 1] + 1,
                previous[column - 1] + (isSame ? 0 : 1))
            if row > 1, column > 1, left[row - 1] == right[column - 2],
                left[row - 2] == right[column - 1]
            {
                current[column] = min(current[column], beforePrevious[column - 2] + 1)
            }
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
