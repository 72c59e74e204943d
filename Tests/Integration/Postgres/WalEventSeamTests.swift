import Model
import Platform
import Postgres
import TestKit
import Testing

/// A commit whose record begins in one WAL segment and ends in the next stands on the time axis as
/// any other: the segments are searched one by one.
@Suite(.timeLimit(.minutes(5)))
struct WalEventSeamTests {
    private static let segment: UInt64 = 1 << 20

    /// Drops many tables in a transaction whose commit record crosses the end of a segment: what is
    /// left of the segment is filled first, but for less than the record takes.
    ///
    /// A record that is spread over pages has a header of 24 bytes on each (xlog_internal.h).
    private static let drop = """
        begin;
        do $$ begin for i in 1..300 loop execute 'drop table d' || i; end loop; end $$;
        with place as (
            select \(segment) - (pg_current_wal_insert_lsn() - '0/0')::bigint % \(segment) as rest
        ), wanted as (
            select case when rest > 100000 then rest else rest + \(segment) end - 3000 as bytes
            from place
        )
        select length(pg_logical_emit_message(
            false, 'fill', repeat('x', (bytes - bytes / 8192 * 24 - 200)::int))::text) > 0
        from wanted;
        commit;
        """

    @Test func `a commit over the edge of a segment is found once, and at the same place`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            try server.psql(
                """
                do $$ begin for i in 1..300 loop execute
                    'create table d' || i || ' (i int)'; end loop; end $$;
                """)
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try server.psql(Self.drop)
            let end = try #require(LSN.parse(try server.psql("select pg_current_wal_insert_lsn()")))
            // So that the segment that holds the record's end is sealed as well.
            try server.psql("select pg_switch_wal()")
            try server.psql("create table after_it (i int)")
            try watched.side.waitProved(watched.side.moment())
            let shown = try #require(try AxisReport.wait(watched.port, events: 1).first)
            #expect(shown.action.contains("300 files"), "\(shown)")
            let start = try #require(LSN.parse(shown.position))
            #expect(
                start / Self.segment + 1 == (end - 1) / Self.segment,
                "the record from \(shown.position) does not cross: \(end)")
            let listed = try watched.side.expect(0, ["find"])
            #expect(listed.contains(shown.id), "\(listed)")

            // What was searched and noted is all there is for the next process too.
            try eventually("it is noted", seconds: 90) {
                try server.run("/bin/cat", [watched.side.archive + "/ledger/events.json"]).output
                    .contains("300 files")
            }
            #expect(try sidecar.terminate(seconds: 20).isSuccess)
            let next = try watched.side.start()
            #expect(try AxisReport.wait(watched.port, events: 1).first?.id == shown.id)
            #expect(try next.terminate(seconds: 20).isSuccess)
        }
    }
}
