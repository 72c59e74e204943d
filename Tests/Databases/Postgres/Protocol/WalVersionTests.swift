import Model
import Platform
import TestKit
import Testing

@testable import Postgres

/// The scanner against the `pg_waldump` of each version that writes the WAL.
@Suite(.timeLimit(.minutes(5)))
struct WalVersionTests {
    private static let options = [
        "wal_level = logical", "wal_keep_size = 512MB", "max_prepared_transactions = 5",
        "max_locks_per_transaction = 200",
    ]

    /// Every kind of record that ends a transaction, with every part that such a record can have.
    private static let workload = """
        create table t (i int primary key, s text);
        create table parent (id int primary key); create table child (id int references parent);
        insert into t select i, repeat(md5(i::text), 20) from generate_series(1, 3000) i;
        begin; insert into t values (-2); rollback;
        begin; insert into t values (-3); prepare transaction 'kept';
        begin; insert into t values (-4); prepare transaction 'dropped';
        commit prepared 'kept'; rollback prepared 'dropped';
        begin; create table never as select 1 as i; rollback;
        begin; create table both_ways (n int primary key); savepoint s; drop table both_ways;
        prepare transaction 'ddl'; commit prepared 'ddl';
        begin; savepoint a; insert into t values (-6); rollback to a; insert into t values (-7); commit;
        do $$ begin for i in 1..200 loop
            begin insert into t values (-1000 - i); exception when others then null; end;
        end loop; end $$;
        create table gone as select i, i % 7 as j from generate_series(1, 2000) i;
        create index on gone (i); analyze gone; truncate gone; drop table gone;
        do $$ begin for i in 1..30 loop execute 'create table many' || i || ' (i serial)'; end loop;
        end $$;
        insert into parent values (1);
        begin; insert into child values (1); select * from parent for key share; commit;
        select pg_create_restore_point('a point of this version');
        select pg_logical_emit_message(false, 'tidemark', 'outside any transaction');
        create database other; drop database other;
        create role somebody; drop role somebody;
        vacuum full t; checkpoint; update t set s = 'x' where i < 500; select pg_switch_wal();
        set synchronous_commit = off; insert into t values (-9); reset synchronous_commit;
        insert into t values (-10);
        """

    @Test(arguments: OtherServers.postgresMajors)
    func `commits, aborts and restore points are what its own pg_waldump tells`(
        major: Int
    ) async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(
                    settings: Self.options, segmentMebibytes: 1, bin: OtherServers.postgres(major)))
            try server.psql(Self.workload)
            let last = try server.psql("select pg_current_wal_insert_lsn()")
            let end = try #require(LSN.parse(last))
            try server.stop()
            let size = WalFixture.size
            let folder = server.pgData + "/pg_wal"
            let numbers = namesInside(folder).compactMap { name -> UInt64? in
                guard case .segment(1, let number)? = WalFileName(name, size: size) else {
                    return nil
                }
                return number
            }
            let first = try #require(numbers.min())
            let bytes = (first...end / size.bytes).flatMap { number in
                let name = WalFileName(timeline: 1, holding: number * size.bytes, size: size)
                return fileBytes(folder + "/" + name.text(size: size))
            }
            let start = first * size.bytes
            let told = try server.run(
                "/usr/bin/env",
                [
                    "TZ=UTC", server.options.bin + "/pg_waldump", "-p", folder, "-s",
                    LSN.text(start), "-e", last,
                ]
            ).output
            let judged = told.split(separator: "\n").compactMap { JudgedEntry(String($0)) }
            #expect(judged.count > 25)
            for checks in [WalScanner.Checks.everyRecord, .interpretedRecords] {
                var scanner = try WalScanner(
                    startAt: start, segmentBytes: size.bytes, timeline: 1, checks: checks,
                    tail: .mayFollow)
                let entries = try scanner.takeAll(bytes)
                WalScannerTests.compare(entries.filter { $0.first < end }, with: judged)
                #expect(scanner.majorVersion == major)
            }
        }
    }
}
