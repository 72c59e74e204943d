import Model
import Platform
import TestKit
import Testing

struct FindTests {
    @Test func `what was flushed comes back to just before`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines("SELECT 2\nSET a 1\n")
            try server.command("FLUSHALL")
            try server.lines("SELECT 2\nMSET a 2 b 3\nSWAPDB 2 5\n")
            try server.lines("SELECT 5\nMULTI\nSET c 1\nFLUSHDB ASYNC\nEXEC\n")
            try server.pipe((0..<150).flatMap { resp(["SET", "k\($0)", "v"]) })
            try server.pipe(resp(["UNLINK"] + (0..<150).map { "k\($0)" }))
            if RedisServer.majorVersion >= 7 { try server.command("FUNCTION", "FLUSH") }
            try harness.waitArchived()
            // What only looks like a command.
            for (key, value) in [
                ("FLUSHALL", "*1\r\n$8\r\nFLUSHALL\r\n"), ("*1\r\n$7\r\nFLUSHDB\r\n", "FLUSHDB"),
            ] {
                try server.pipe(resp(["SET", key, value]))
            }
            try harness.waitArchived()
            let list = try harness.expect(0, ["find"])
            let lines = list.split(separator: "\n").dropFirst().map(String.init)
            var actions = ["FLUSHALL", "SWAPDB", "FLUSHDB in database 5", "UNLINK of 150 keys"]
            if RedisServer.majorVersion >= 7 { actions.append("FUNCTION FLUSH") }
            #expect(lines.count == actions.count)
            for (line, action) in zip(lines, actions) { #expect(line.contains(action), "\(list)") }
            func id(_ line: Int) -> String { String(lines[line].prefix { $0 != " " }) }
            let flushed = try harness.restore(to: "before:" + id(0), name: "flushed")
            #expect(try harness.ask(flushed + "/2", "GET", "a") == "1")
            // Before the transaction as a whole.
            let inside = try harness.restore(to: "before:" + id(2), name: "inside")
            #expect(try harness.ask(inside + "/5", "MGET", "a", "b", "c") == "2\n3\n")
            let matched = try harness.expect(0, ["find", "--match", "swap"])
            #expect(matched.split(separator: "\n").count == 2)
            let none = try harness.expect(0, ["find", "--around", "2031-01-01T00:00:00Z"])
            #expect(none.contains("nothing destructive"))
            let place = harness.folder + "/refused"
            try harness.expect(3, ["restore", "--to", "before:ffffffff-9", "--into", place])
            try harness.expect(2, ["restore", "--to", "before:nothing", "--into", place])
            // A number beside an event's is no event, whatever there is at it.
            let dash = try #require(id(1).lastIndex(of: "-"))
            let number = try #require(UInt64(id(1)[id(1).index(after: dash)...]))
            for other in [number - 1, number + 1] {
                let wrong = "before:\(id(1)[..<dash])-\(other)"
                for rest in [["--dry-run"], []] {
                    let said = try harness.expect(
                        3, ["restore", "--to", wrong, "--into", place] + rest)
                    #expect(said.contains("names no event") && said.contains(id(1)), "\(said)")
                }
                let folder = harness.folder + "/exported"
                try harness.expect(
                    3, ["export", "sessions", "--to", wrong, "--into", folder])
            }
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
