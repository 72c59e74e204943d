import ArgumentParser
import Glibc
import Platform

/// The process: memory, signals, arguments, exit status.
@main
struct Program {
    static func main() async {
        Memory.tune()
        // A reader that goes away is an error of one write (EPIPE), not the end of the sidecar.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        ProcessTitle.hideSecrets()
        ProcessEnd.now(await run(arguments))
    }

    /// Parses and runs one command line; the exit status.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try Tidemark.parseAsRoot(arguments)
            if var async = command as? any AsyncParsableCommand {
                try await async.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            let report = ErrorReport(error, arguments)
            Output.result(report.output)
            Output.note(report.message)
            return report.status
        }
    }
}
