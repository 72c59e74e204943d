import Glibc
import Platform

/// Standard output for results and nothing else; standard error for everything else.
enum Output {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// How large the terminal on standard output is; nil when there is none, or it does not say.
    static var size: Redraw.Size? {
        var size = winsize()
        let status = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        guard status == 0, size.ws_row > 0, size.ws_col > 0 else { return nil }
        return Redraw.Size(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }

    /// In place of what stands on the terminal.
    static func redraw(_ text: String) {
        if !write(Redraw.over(text, size), to: STDOUT_FILENO), errno == EPIPE { ProcessEnd.now(0) }
    }

    /// The result; a newline is added when it has none. Ends the process when nobody reads it any
    /// more (`tidemark list | head -1`), with the status of success: the reader had enough.
    static func result(_ text: String) {
        if !write(lines(text), to: STDOUT_FILENO), errno == EPIPE { ProcessEnd.now(0) }
    }

    /// For people; lost when standard error is closed.
    static func note(_ text: String) { _ = write(lines(text), to: STDERR_FILENO) }

    /// Without a newline of its own, to standard error.
    static func draw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

    private static func lines(_ text: String) -> String {
        text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}
