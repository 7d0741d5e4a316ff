import ArgumentParser

/// The words of a command line, with shortened names of commands written out.
struct CommandWords {
    /// What the argument parser gets.
    private(set) var expanded: [String]
    /// The commands that were named, as in `show`, `fdb`.
    private(set) var path: [String] = []

    init(_ words: [String]) {
        expanded = words
        var level = VXGate.configuration.subcommands
        for (index, word) in words.enumerated() {
            guard !level.isEmpty, !word.hasPrefix("-"),
                let command = Self.command(named: word, among: level)
            else { return }
            expanded[index] = command._commandName
            path.append(command._commandName)
            level = command.configuration.subcommands
        }
    }

    /// The command of that name, or the only one whose name begins so.
    private static func command(
        named word: String, among commands: [any ParsableCommand.Type]
    ) -> (any ParsableCommand.Type)? {
        if let exact = commands.first(where: { $0._commandName == word }) { return exact }
        let candidates = commands.filter { $0._commandName.hasPrefix(word) }
        return candidates.count == 1 ? candidates.first : nil
    }
}
