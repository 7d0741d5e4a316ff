import ArgumentParser
import Glibc

/// The entry point: reads the command line, runs the command and turns whatever happened into one
/// line on standard error and the exit status of the contract (0 done, 1 failed, 2 wrong usage or
/// file).
@main
enum Program {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let words = CommandWords(Array(CommandLine.arguments.dropFirst()))
        do {
            var command = try VXGate.parseAsRoot(words.expanded)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Terminal.report(failure)
            exit(failure.status)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch let error as TerminalClosed {
            exit(error.status)
        } catch {
            exit(finish(error, words))
        }
    }

    /// Help and version are no errors; everything else of the argument parser is wrong usage.
    private static func finish(_ error: any Error, _ words: CommandWords) -> Int32 {
        guard VXGate.exitCode(for: error) != .success else {
            let text = VXGate.fullMessage(for: error)
            _ = try? Terminal.print(text.hasSuffix("\n") ? text : text + "\n")
            return 0
        }
        let command = (["vxgate"] + words.path).joined(separator: " ")
        Terminal.report(
            Failure(
                at: words.path.isEmpty ? "command line" : words.path.joined(separator: " "),
                "\(oneLine(VXGate.message(for: error))): see \(command) --help", status: 2))
        return 2
    }

    /// The parser's text without its line breaks and its final stop.
    private static func oneLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}
