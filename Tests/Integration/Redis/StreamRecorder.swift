import Glibc
import Model
import Platform
import TestKit

/// A second replica of a server, which knows nothing of Tidemark: it writes the stream that it is
/// sent to a file, byte for byte. It never acknowledges, so that WAIT counts the archive alone.
final class StreamRecorder: Sendable {
    private let process: Subprocess
    private let path: String

    init(_ server: RedisServer, _ folder: String) throws {
        path = folder + "/recorded"
        process = try Subprocess(
            "python3", ["-c", Self.program, String(server.port), path],
            SubprocessOptions(signalOnParentDeath: .kill))
        try eventually("the recorder has joined") { try !offset().isEmpty }
    }

    deinit {
        process.signal(SIGKILL)
        process.wait(seconds: 10)
    }

    /// Position of the first recorded byte.
    private func offset() throws -> String { try shell("cat \"$0.first\" 2>/dev/null || :", path) }

    /// Waits until everything below `end` is recorded, and ends.
    func stop(at end: UInt64) throws {
        let first = UInt64(try offset()) ?? 0
        try eventually("all is recorded", seconds: 120) {
            try (UInt64(shell("stat -c %s \"$0\"", path).dropLast()) ?? 0) + first >= end
        }
        process.signal(SIGKILL)
        process.wait(seconds: 10)
    }

    /// Compares the archive's segments, decompressed by lz4 itself, with what was recorded: what
    /// differs, is missing or is there twice; empty when nothing is wrong.
    func differences(from folder: String) throws -> String {
        try Subprocess.run("python3", ["-c", Self.comparison, folder, path], seconds: 300).output
    }

    private static let program = """
        import socket, sys, threading, time
        port, path = int(sys.argv[1]), sys.argv[2]
        link = socket.create_connection(("127.0.0.1", port))
        link.sendall(b"PSYNC ? -1\\r\\n")
        file = link.makefile("rb")
        line = b""
        while not line.startswith(b"+FULLRESYNC"): line = file.readline()
        first = line.split()[2].decode()
        line = b""
        while not line.startswith(b"$"): line = file.readline()
        left = int(line[1:])
        while left: left -= len(file.read(min(left, 1 << 20)))
        def live():
            while True:
                link.sendall(b"\\n")
                time.sleep(1)
        threading.Thread(target=live, daemon=True).start()
        with open(path, "wb", buffering=0) as out:
            with open(path + ".first", "w") as note: note.write(first)
            while True:
                piece = file.read1(1 << 20)
                if not piece: break
                out.write(piece)
        """

    private static let comparison = """
        import os, subprocess, sys
        folder, path = sys.argv[1:]
        base = int(open(path + ".first").read())
        recorded = open(path, "rb").read()
        names = sorted(os.listdir(folder))
        end = None
        for name in names:
            if ".resp" not in name and not name.endswith(".partial"): continue
            first = int(name.split("-")[0])
            text = subprocess.run(["lz4", "-dcq", os.path.join(folder, name)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if end is not None and first != end: print(f"{name} does not follow {end}")
            end = first + len(text)
            skip = max(0, base - first)
            mine = text[skip:]
            at = first + skip - base
            if recorded[at:at + len(mine)] != mine: print(f"{name} differs")
        if end is None or end - base < len(recorded): print(f"the archive ends at {end}")
        """
}
