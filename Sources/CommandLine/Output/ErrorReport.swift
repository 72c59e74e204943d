import ArgumentParser
import Model

/// The one place that turns an error into text and an exit status.
struct ErrorReport {
    /// Every failure of `wal fetch` but a proved end of the archive: Postgres stops recovery and
    /// can go on later. With 1 to 125 it would believe that the archive ends here, and promote.
    static let fetchFailed: Int32 = 126

    /// For standard output: help and version. Empty otherwise.
    private(set) var output = ""
    /// For standard error: `tidemark: message`, and what to do in a second line. Empty for help.
    private(set) var message = ""
    private(set) var status: Int32

    /// - Parameter arguments: the command line, to know whose rules hold for the status.
    init(_ error: any Error, _ arguments: [String]) {
        if let error = error as? TidemarkError {
            message = "tidemark: " + error.description
            status = error.code.exitStatus
        } else if let code = error as? ExitCode {
            status = code.rawValue
        } else {
            status = Self.status(of: error)
            let text = Tidemark.fullMessage(for: error)
            if status == 0 {
                output = text
            } else {
                let complaint = UnknownCommand.complaint(arguments)
                message = complaint.map { "tidemark: " + $0 } ?? Self.usage(text)
            }
        }
        if status > 1 || (status == 1 && !(error is ExitCode)), Self.isFetch(arguments) {
            status = Self.fetchFailed
        }
    }

    /// The parser's own statuses: 0 for help, 64 for wrong usage.
    private static func status(of error: any Error) -> Int32 {
        let code = Tidemark.exitCode(for: error)
        if code == .success { return 0 }
        return code == .validationFailure ? TidemarkError.Code.usage.exitStatus : code.rawValue
    }

    private static func usage(_ text: String) -> String {
        "tidemark: " + (text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text)
    }

    /// Holds for a command line that could not be parsed too: a wrong option in restore_command
    /// must not make Postgres promote.
    static func isFetch(_ arguments: [String]) -> Bool {
        guard let group = arguments.firstIndex(of: "wal") else { return false }
        return arguments[group...].contains("fetch")
    }
}
