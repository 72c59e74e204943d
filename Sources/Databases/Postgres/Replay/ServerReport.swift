import Model

/// What a server's log says about why it stopped.
struct ServerReport: Hashable, Sendable {
    /// The last fatal line, without time and process.
    let reason: String
    let advice: String
    /// Says whether the archive or the server was at fault.
    let code: TidemarkError.Code

    init(log: String) {
        let lines = log.split(separator: "\n")
        let fatal = lines.last { $0.contains("FATAL:") } ?? lines.last { $0.contains("PANIC:") }
        let text = fatal.map(Self.message) ?? "it left no message"
        reason = text
        advice = Self.advice(text, lines)
        code = Self.code(text, lines)
    }

    /// `wal fetch` writes its error's code into the server's log.
    private static func code(_ reason: String, _ lines: [Substring]) -> TidemarkError.Code {
        guard reason.contains("could not restore file"),
            let own = lines.last(where: { $0.contains("tidemark: cannot fetch") })
        else { return .failed }
        return TidemarkError.Code.allCases.first { own.contains("(\($0.rawValue))") } ?? .failed
    }

    private static func message(_ line: Substring) -> String {
        for mark in ["FATAL:", "PANIC:"] {
            if let range = line.firstRange(of: mark) {
                return String(line[range.upperBound...].drop { $0 == " " })
            }
        }
        return String(line)
    }

    private static func advice(_ reason: String, _ lines: [Substring]) -> String {
        if reason.contains("could not restore file") {
            let own = lines.last { $0.contains("tidemark: cannot fetch") }.map(String.init)
            return "the archive could not be read while recovering ("
                + (own ?? "`tidemark wal fetch` says why")
                + "); mend it and start the server again, recovery goes on where it was"
        }
        if reason.contains("before configured recovery target") {
            return "the archive gave less history than the target needs: run `tidemark verify`"
        }
        if reason.contains("before consistent recovery point") {
            return "the target lies before the end of the base backup: choose a later one"
        }
        if reason.contains("could not access file") {
            return "install the library it names, in the version the source had"
        }
        if reason.contains("could not bind") || reason.contains("could not create any TCP") {
            return "choose another port with --port"
        }
        return "mend what it names, then start it again with pg_ctl"
    }
}
