import ArgumentParser
import Glibc

/// The entry point: reads the command line, runs the command and turns whatever happened into one
/// line on standard error and the exit status of the contract (0 done, 1 failed, 2 wrong usage).
@main
enum Program {
    static func main() {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try VXGen.parseAsRoot(arguments)
            try command.run()
        } catch let failure as Failure {
            Terminal.report(Self.withHelp(failure, arguments))
            exit(failure.status)
        } catch is TerminalClosed {
            exit(0)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            exit(finish(error, arguments))
        }
    }

    /// Help and version are no errors; everything else of the argument parser is wrong usage.
    private static func finish(_ error: any Error, _ arguments: [String]) -> Int32 {
        guard VXGen.exitCode(for: error) != .success else {
            let text = VXGen.fullMessage(for: error)
            _ = try? Terminal.print(text)
            return 0
        }
        Terminal.report(
            withHelp(Failure(oneLine(VXGen.message(for: error)), status: 2), arguments))
        return 2
    }

    /// Wrong usage says which command it was, and where to read on; a profile says so itself.
    private static func withHelp(_ failure: Failure, _ arguments: [String]) -> Failure {
        guard failure.status == 2, !failure.text.hasPrefix("profile ") else { return failure }
        let command = arguments.first ?? ""
        guard VXGen.names.contains(command) else {
            return Failure("command line: \(failure.text): see vxgen --help", status: 2)
        }
        return Failure("\(command): \(failure.text): see vxgen \(command) --help", status: 2)
    }

    /// The parser's text without its line breaks and its final stop.
    private static func oneLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}
