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
            Terminal.report(failure)
            exit(failure.status)
        } catch is TerminalClosed {
            exit(0)
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
        let isRun = arguments.first == "run"
        Terminal.report(
            Failure(
                "\(isRun ? "run" : "command line"): \(oneLine(VXGen.message(for: error))): see"
                    + " vxgen \(isRun ? "run " : "")--help", status: 2))
        return 2
    }

    /// The parser's text without its line breaks and its final stop.
    private static func oneLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}
