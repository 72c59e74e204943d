/// The one error of the program: what happened, where, and what to do next.
///
/// The code alone decides the exit status and whether a retry helps.
package struct TidemarkError: Error, Sendable, CustomStringConvertible {
    package let code: Code
    /// What happened and to what, one sentence, lower case, without full stop.
    package let message: String
    /// What the reader does next; empty only when there is nothing to do.
    package let remedy: String
    /// The error below this one, if any.
    package let cause: (any Error)?
    /// Source file and line that made the error; for the log, never for the terminal.
    package let place: String

    package init(
        _ code: Code, _ message: String, remedy: String = "", cause: (any Error)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.cause = cause
        self.place = "\(file):\(line)"
    }

    /// Message, cause and remedy in at most two lines, as printed for people.
    package var description: String {
        var text = message
        if let cause = cause as? TidemarkError {
            text += ": " + cause.message
        } else if let cause {
            text += ": \(cause)"
        }
        let advice = remedy.isEmpty ? (cause as? TidemarkError)?.remedy ?? "" : remedy
        return advice.isEmpty ? text : text + "\n" + advice
    }
}

extension TidemarkError {
    /// Broad classes of failure. One table: raw name, exit status, retry.
    package enum Code: String, Sendable, CaseIterable {
        /// Something failed that no other code describes.
        case failed
        /// The work was asked to stop.
        case cancelled
        /// The command line was wrong.
        case usage
        /// The configuration file or a value in it is wrong.
        case configuration
        /// The destination of a restore already holds something.
        case destinationOccupied
        /// A program or library this step needs is not installed, or has the wrong version.
        case toolMissing
        /// The recovery target lies before the first or after the last restorable moment.
        case targetOutsideWindow
        /// The recovery target lies where history was lost.
        case targetInGap
        /// An archived file does not hold what it claims.
        case archiveDamaged
        /// An archived file that must exist does not.
        case archiveIncomplete
        /// The same place already holds other bytes.
        case contentConflict
        /// The source does not answer, or dropped the connection.
        case sourceUnreachable
        /// The source answered and refused: password, privilege, settings.
        case sourceRefused
        /// The server is not the one this archive belongs to.
        case sourceIdentityChanged
        /// The source no longer has the history the archive needs next.
        case historyLost
        /// The repository does not answer.
        case repositoryUnreachable
        /// The repository has no space left.
        case repositoryFull
        /// The repository may not be written to.
        case repositoryReadOnly
        /// The object asked for does not exist. Callers turn this into a better error.
        case notFound
        /// `status --check`: an objective is breached.
        case objectiveBreached

        /// The exit status of the process; part of the command line's contract.
        package var exitStatus: Int32 {
            switch self {
            case .failed, .cancelled, .toolMissing: 1
            case .usage, .configuration, .destinationOccupied: 2
            case .targetOutsideWindow, .targetInGap: 3
            case .archiveDamaged, .archiveIncomplete, .contentConflict, .notFound: 4
            case .sourceUnreachable, .sourceRefused, .sourceIdentityChanged, .historyLost,
                .repositoryUnreachable, .repositoryFull, .repositoryReadOnly:
                5
            case .objectiveBreached: 6
            }
        }

        /// Whether the same call may succeed later without anybody changing anything.
        package var isRetryable: Bool {
            switch self {
            case .sourceUnreachable, .repositoryUnreachable, .repositoryFull: true
            default: false
            }
        }
    }
}
