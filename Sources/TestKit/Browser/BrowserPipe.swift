import FoundationEssentials
import Glibc
import Model
import Platform

/// The two pipes of Chromium's `--remote-debugging-pipe`: JSON messages that end with a zero byte,
/// commands on its descriptor 3, answers and events on 4.
///
/// Named pipes and a shell bring the descriptors there. For one thread at a time.
final class BrowserPipe {
    private let input: Int32
    private let output: Int32
    private var unread: [UInt8] = []
    private var searched = 0

    /// Makes the pipes; they are open at both ends here, so that no open ever waits.
    init(_ folder: String) throws(TidemarkError) {
        for name in [Self.inputPath(folder), Self.outputPath(folder)] {
            guard mkfifo(name, 0o600) == 0 else {
                throw TidemarkError(.failed, "cannot make the pipe \(name) (errno \(errno))")
            }
        }
        input = open(Self.inputPath(folder), O_RDWR | O_CLOEXEC)
        output = open(Self.outputPath(folder), O_RDWR | O_CLOEXEC)
    }

    deinit {
        close(input)
        close(output)
    }

    static func inputPath(_ folder: String) -> String { folder + "/commands" }
    static func outputPath(_ folder: String) -> String { folder + "/answers" }

    func send(_ command: BrowserCommand) throws {
        var bytes = Array(try JSONEncoder().encode(command)) + [0]
        while !bytes.isEmpty {
            let count = write(input, bytes, bytes.count)
            guard count > 0 else {
                throw TidemarkError(.failed, "cannot write to the browser (errno \(errno))")
            }
            bytes.removeFirst(count)
        }
    }

    /// The next message; nil when none comes within `milliseconds`.
    func receive(milliseconds: Int32) throws -> BrowserMessage? {
        while true {
            if let end = unread[searched...].firstIndex(of: 0) {
                let message = Data(unread[..<end])
                unread.removeFirst(end + 1)
                searched = 0
                return try JSONDecoder().decode(BrowserMessage.self, from: message)
            }
            searched = unread.count
            var wait = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, milliseconds) > 0 else { return nil }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(output, &piece, piece.count)
            guard count > 0 else { return nil }
            unread += piece[..<count]
        }
    }
}
