import Model
import Testing

@testable import Repository

struct LayoutTests {
    private let ledger = BackupFixture.ledger
    private let style = SmallStyle()
    private let one = TimelineID("1")

    @Test func `names are those of the contract`() {
        let range = PositionRange(timeline: one, first: 65_536, last: 131_072)
        let gap = Gap(
            timeline: one, first: 5, last: 70_000, found: BackupFixture.noon, reason: "lost")
        let keys = [
            Layout.marker, Layout.descriptor(ledger), Layout.watermark(ledger),
            Layout.segment(ledger, style, range), Layout.document(ledger, style, one, "2.history"),
            Layout.manifest(ledger, "B"), Layout.backupLease(ledger),
            Layout.point(ledger, "release-1.2"), Layout.gap(ledger, style, gap),
        ]
        #expect(
            keys.map(\.path) == [
                "tidemark.json", "ledger/source.json", "ledger/watermark.json",
                "ledger/wal/1/00000000000000065536", "ledger/wal/1/2.history",
                "ledger/base/B/manifest.json", "ledger/base/running.json",
                "ledger/points/release-1.2.json",
                "ledger/gaps/00000000000000000005-00000000000000070000.json",
            ])
    }

    @Test(arguments: [
        ("plain", "plain"), ("..", "%2E."), (".hidden", "%2Ehidden"), ("a/b", "a%2Fb"),
        ("50%", "50%25"), ("é", "%C3%A9"), ("a b", "a%20b"), ("v1.2_x-y", "v1.2_x-y"),
    ])
    func `a user's name never leaves its folder`(_ name: String, _ file: String) {
        #expect(Layout.escaped(name) == file)
    }

    @Test func `different names have different files`() {
        let names = ["a/b", "a%2Fb", "a b", "a+b", "a", "A", ".a", "a."]
        #expect(Set(names.map { Layout.point(ledger, $0) }).count == names.count)
    }

    @Test func `the name of a base backup sorts by its start`() {
        let id = BackupID.make(
            started: BackupFixture.noon.advanced(bySeconds: 0.9), timeline: one, start: 0x300_0060)
        #expect(id == "20261122T120000Z-1-0000000003000060")
        let later = BackupID.make(
            started: BackupFixture.noon.advanced(bySeconds: 1), timeline: one, start: 1)
        #expect(id < later)
        let last = BackupID.make(started: BackupFixture.noon, timeline: one, start: .max)
        #expect(last.hasSuffix("-FFFFFFFFFFFFFFFF"))
    }
}
