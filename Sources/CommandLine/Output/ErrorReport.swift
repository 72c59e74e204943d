import ArgumentParser
import Model
import Platform

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
                let complaint =
                    UnknownCommand.complaint(arguments) ?? UnknownOption.complaint(arguments)
                message = complaint.map { "tidemark: " + $0 } ?? Self.usage(text)
                message = Self.withoutSecrets(message, arguments)
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

    /// The parser's four lines in two: what is wrong, and how the command is called.
    private static func usage(_ text: String) -> String {
        var lines = text.split(separator: "\n").map(String.init)
        func take(_ start: String) -> String? {
            lines.firstIndex { $0.hasPrefix(start) }.map { lines.remove(at: $0) }
        }
        let see = take("  See '")?.split(separator: "'").dropFirst().first
        let usage = take("Usage: ")
        _ = take("Help: ")
        var message = lines.joined(separator: " ")
        if message.hasPrefix("Error: ") { message.removeFirst("Error: ".count) }
        // A sentence begins small here, an abbreviation does not.
        if let first = message.first, message.dropFirst().first?.isUppercase == false {
            message = first.lowercased() + message.dropFirst()
        }
        let advice = [usage, see.map { "`\($0)` tells more" }].compactMap { $0 }
        return "tidemark: \(message)\n" + advice.joined(separator: "; ")
    }

    /// The parser tells words of the command line as they are, and one may be a URL with a
    /// password.
    private static func withoutSecrets(_ text: String, _ arguments: [String]) -> String {
        var text = text
        for argument in arguments {
            // `--option=URL` is told without the option.
            let equals = argument.firstIndex(of: "=")
            for word in [argument, equals.map { String(argument[$0...].dropFirst()) }] {
                guard let word else { continue }
                var bytes = Array(word.utf8)
                let secrets = ProcessTitle.secretRanges(bytes).filter { !$0.isEmpty }
                if secrets.isEmpty { continue }
                for range in secrets.reversed() { bytes.replaceSubrange(range, with: "***".utf8) }
                text = text.replacing(word, with: String(decoding: bytes, as: UTF8.self))
            }
        }
        return text
    }

    /// Holds for a command line that could not be parsed too: a wrong option in restore_command
    /// must not make Postgres promote.
    static func isFetch(_ arguments: [String]) -> Bool {
        guard let group = arguments.firstIndex(of: "wal") else { return false }
        return arguments[group...].contains("fetch")
    }
}
