import Daemon
import Model
import Monitoring
import Testing

@testable import tidemark

@Suite struct ViewTests {
    private let plain = TerminalStyle(isOn: false)

    private func time(_ text: String) -> CommitTime { CommitTime(text)! }

    private func status(
        _ name: String, exposure: Double?, reason: String = ""
    ) -> SourceStatus {
        SourceStatus(
            name: SourceID(name)!, kind: .postgres, state: .streaming, timeline: TimelineID("1"),
            receivedPosition: "0/3000148", archivedPosition: "0/3000148",
            restorableTo: time("2026-11-22T12:00:00.120Z"), exposureSeconds: exposure,
            rpoSeconds: 900,
            recoveryWindows: [
                SourceStatus.Window(
                    RecoveryWindow(
                        timeline: TimelineID("1"), from: time("2026-11-20T02:00:05Z"),
                        to: time("2026-11-22T12:00:00Z")))
            ], gaps: [], lastBackup: nil, sourceWindow: nil, reason: reason)
    }

    @Test func `status is a table, with what needs words below it`() {
        let document = StatusDocument(
            time: time("2026-11-22T12:00:01Z"), repository: "file:///a", state: "ok",
            sources: [
                status("ledger", exposure: 0.42),
                status("shop", exposure: nil, reason: "no route to host"),
            ])
        #expect(
            StatusView.text(document, style: plain) == """
                SOURCE  KIND      STATE      EXPOSURE     RPO  OBJECTIVE  ARCHIVED   RESTORABLE TO             WINDOW FROM           LAST BACKUP
                ledger  postgres  streaming     0.5 s  15 min  met        0/3000148  2026-11-22T12:00:00.120Z  2026-11-20T02:00:05Z  none
                shop    postgres  streaming   unknown  15 min  breached   0/3000148  2026-11-22T12:00:00.120Z  2026-11-20T02:00:05Z  none
                shop: no route to host

                """)
    }

    @Test(arguments: [
        (0, "0.0 s"), (0.04, "0.1 s"), (0.4, "0.4 s"), (0.44, "0.5 s"), (9.96, "10 s"),
        (59.4, "1 min"), (900, "15 min"), (3599.5, "1 h"), (3661, "1 h 2 min"),
        (12_000, "3 h 20 min"), (86_399, "1 d"), (176_399, "2 d 1 h"), (187_200, "2 d 4 h"),
        (604_800, "7 d"),
    ])
    func `lengths of time have at most two units and are never too good`(
        seconds: Double, text: String
    ) {
        #expect(StatusView.seconds(seconds) == text)
    }

    @Test func `check shows the remedy below its finding`() {
        let reports = [
            CheckReport(
                subject: "repository", findings: [Finding(.ok, "file:///a can be written")]),
            CheckReport(
                subject: "ledger", findings: [],
                failure: TidemarkError(
                    .sourceRefused, "role tidemark may not replicate",
                    remedy: "ALTER ROLE tidemark REPLICATION;")),
        ]
        #expect(
            CheckView.text(reports, style: plain) == """
                repository
                  ok       file:///a can be written
                ledger
                  error    role tidemark may not replicate
                           ALTER ROLE tidemark REPLICATION;

                """)
    }

    @Test func `list counts a base backup's warnings and leaves the words to JSON`() {
        let backup = BaseBackupDescriptor(
            id: "b1", source: SourceID("ledger")!, kind: .postgres, timeline: TimelineID("1"),
            start: 1, end: 2, started: time("2026-11-22T12:00:00Z"),
            finished: time("2026-11-22T12:00:07Z"), bytes: 3 << 20, storedBytes: 1 << 20,
            files: [], server: ServerFacts(identity: "1", version: "150020"),
            warnings: ["/etc/postgresql/15/main/postgresql.conf is not recorded", "so is another"])
        struct Style: PositionStyle {
            let folder = "wal"
            let scheme = "lsn"
            func text(_ ordinal: UInt64) -> String { String(ordinal) }
            func parse(_ text: String) -> UInt64? { UInt64(text) }
            func segmentName(_ range: PositionRange) -> String { "" }
            func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? { nil }
        }
        let document = ListDocument(sources: [
            ListedSource(
                name: SourceID("ledger")!, kind: .postgres, recoveryWindows: [], timelines: [],
                backups: [ListedBackup(backup, Style())], points: [], gaps: [])
        ])
        let text = ListView.text(document, style: plain)
        #expect(text.contains("2 warnings (--json)"), "\(text)")
        #expect(!text.contains("/etc/postgresql"))
    }

    @Test func `JSON has its keys in alphabetical order and times in milliseconds`() throws {
        let backup = BaseBackupDescriptor(
            id: "b1", source: SourceID("ledger")!, kind: .postgres, timeline: TimelineID("1"),
            start: 1, end: 2, started: time("2026-11-22T12:00:00Z"),
            finished: time("2026-11-22T12:00:07.123456Z"), bytes: 3 << 20, storedBytes: 1 << 20,
            files: [], server: ServerFacts(identity: "1", version: "150020"), warnings: [])
        let text = try JSONText.encode(BackupView(backup))
        #expect(text.contains("\"finished\" : \"2026-11-22T12:00:07.123Z\""))
        let keys = text.split(separator: "\n").compactMap {
            $0.split(separator: "\"").dropFirst().first
        }
        #expect(keys == keys.sorted())
        #expect(
            BackupView.text([backup]) == """
                SOURCE  BACKUP     SIZE   STORED  TOOK
                ledger  b1      3.0 MiB  1.0 MiB   8 s

                """)
    }

    @Test func `nothing that was let through is not nothing at all`() {
        let none = FoundDocument(events: [])
        #expect(FindView.text(none) == "nothing destructive was found\n")
        #expect(FindView.text(none, isNarrowed: true).contains("--match"))
    }

    @Test func `verify names every problem`() {
        let report = VerifyReport(
            sources: [
                VerifiedSource(
                    name: SourceID("ledger")!, segments: 3, backups: 1, storedBytes: 5 << 20,
                    problems: ["wal/1/0003.lz4 is cut short"])
            ], deep: true)
        #expect(!report.isSound)
        #expect(
            VerifyView.text(report, style: plain) == """
                SOURCE  SEGMENTS  BASE BACKUPS   STORED  RESULT
                ledger         3             1  5.0 MiB  1 problem
                ledger: wal/1/0003.lz4 is cut short

                """)
    }

    @Test func `verify without --deep promises nothing about content`() {
        let sources = [
            VerifiedSource(
                name: SourceID("ledger")!, segments: 3, backups: 1, storedBytes: 5 << 20,
                problems: [])
        ]
        let text = VerifyView.text(VerifyReport(sources: sources, deep: false), style: plain)
        #expect(text.contains("names and footers sound\n"))
        #expect(text.hasSuffix("The content was not read; --deep reads and checks it.\n"))
        let deep = VerifyView.text(VerifyReport(sources: sources, deep: true), style: plain)
        #expect(deep.hasSuffix("  sound\n"))
    }

    @Test func `a plan says where it stops and how long it takes`() {
        let report = RestoreReport(sources: [
            RestoredSource(
                name: SourceID("ledger")!, target: "latest", destination: "/srv/r/ledger",
                timeline: TimelineID("2"), backup: "b1", segments: 4, storedBytes: 7 << 20,
                stop: "0/3000148", reaches: time("2026-11-22T12:00:00.5Z"), estimatedSeconds: 61,
                estimateBasis: "scaled from the last one", warnings: ["page checksums are off"],
                url: "postgresql://127.0.0.1:5433/postgres", rtoSeconds: 4.21)
        ])
        let plan = RestoreView.plan(report)
        #expect(plan.contains("stop        at 0/3000148\n") && plan.contains("1 min 01 s"))
        #expect(plan.contains("warning: page checksums are off"))
        #expect(plan.contains("takes       about 1 min 01 s: scaled from the last one\n"))
        #expect(
            RestoreView.summary(report.sources[0]).hasPrefix(
                "ledger: restored into /srv/r/ledger, holds all of 2026-11-22T12:00:00.500Z, "))
    }

    @Test func `what is known and what is next are no warnings, and no guess is a number`() {
        var source = RestoredSource(
            name: SourceID("cache")!, target: "latest", destination: "/srv/r/cache",
            timeline: TimelineID("a"), backup: "b1", segments: 4, storedBytes: 7,
            stop: nil, reaches: nil, estimatedSeconds: nil, estimateBasis: "none was measured",
            warnings: [])
        source.notes = ["database 0: keys=5"]
        source.nextStep = "redis-server /srv/r/cache/x.conf"
        #expect(
            RestoreView.summary(source) == """
                cache: restored into /srv/r/cache
                cache: database 0: keys=5
                cache: next step: redis-server /srv/r/cache/x.conf

                """)
        let plan = RestoreView.plan(RestoreReport(sources: [source]))
        #expect(plan.contains("takes       not known: none was measured\n"))
    }
}
