import Model
import Platform
import TestKit
import Testing

/// A table of commits and the client that remembers which of them were acknowledged.
///
/// psql prints the id of a row only after the server has acknowledged its commit.
final class SidecarLedger: Sendable {
    private let server: PostgresServer
    private let client: Subprocess
    private let output: String

    /// - Parameter round: of several clients one after the other, which one it is.
    init(_ server: PostgresServer, round: Int = 0) throws {
        self.server = server
        try server.psql(
            """
            create table if not exists ledger (id bigint generated always as identity primary key,
                booked timestamptz not null, pad text not null)
            """)
        output = try server.makeDirectory("ledger-\(round)") + "/acknowledged"
        let sql =
            "insert into ledger (booked, pad) values "
            + "(clock_timestamp(), (select string_agg(md5(random()::text), '') "
            + "from generate_series(1, 60))) returning id; "
            + "do 'begin perform pg_sleep(0.002); end';"
        client = try Subprocess(
            "/bin/sh",
            [
                "-c", "yes \"$0\" | \"$1\" -XAtq -v ON_ERROR_STOP=1 \"$2\" > \"$3\"", sql,
                PostgresTools.path("psql"), server.url() + "?application_name=ledger", output,
            ],
            SubprocessOptions(
                directory: "/tmp", user: PostgresTools.user, signalOnParentDeath: .kill))
    }

    /// Ids whose commits were acknowledged up to now; a half-written last line does not count.
    func acknowledged() throws -> [Int] {
        let text = try server.run("/bin/cat", [output]).output
        let end = text.lastIndex(of: "\n") ?? text.startIndex
        return text[..<end].split(separator: "\n").compactMap { Int($0) }
    }

    /// Ends the client; psql ends with its session, `yes` with psql.
    func stop() throws {
        try server.psql(
            """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where application_name = 'ledger'
            """)
        try #require(client.wait(seconds: 30) != nil, "the ledger's client goes on")
    }
}
