private import CPlatform
import Glibc

/// What a process that SIGINT or SIGTERM ends says on standard error before it is gone: what it
/// leaves, and what to do.
///
/// The process ends by the signal, as it does without. The words are written by the signal's
/// handler, whatever the threads are doing; so they are made beforehand, each time something
/// changes.
package enum LastWords {
    /// Characters, of up to four bytes: a pipe takes 4096 bytes at once.
    private static let limit = 1000
    private static let isCaught = Monitor(false)

    /// - Parameter text: one line, without its end; nil for nothing. Each one stays in memory, so
    ///   this is for a few changes in a process.
    package static func set(_ text: String?) {
        isCaught.update { isCaught in
            guard let text else { return tm_set_last_words(nil) }
            // What a terminal shows of the key, or of progress, stands on a line of its own.
            let start = isatty(STDERR_FILENO) == 1 ? "\n" : ""
            let line = start + String(text.prefix(limit)) + "\n"
            unsafe tm_set_last_words(strdup(line))
            if isCaught { return }
            isCaught = true
            for number in [SIGINT, SIGTERM] {
                let status = tm_catch_end(number)
                precondition(status == 0, "SIGINT and SIGTERM can be caught")
            }
        }
    }
}
