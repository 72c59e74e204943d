import Model
import Repository
import Testing

@testable import Daemon

@Suite struct VerifyReportTests {
    private func report(backups: Int) throws -> VerifyReport {
        var source = SourceVerification(
            name: try #require(SourceID("ledger")), kind: .postgres)
        source.segments = 3
        source.baseBackups = backups
        return VerifyReport(
            VerificationReport(
                repository: "memory:", archive: nil, deep: false,
                started: CommitTime(microseconds: 0), finished: CommitTime(microseconds: 1),
                state: .sound, objects: 3, readBytes: 0, sources: [source], problems: []),
            deep: false)
    }

    @Test func `a source without a base backup is sound, and said to bring nothing back`() throws {
        let bare = try report(backups: 0)
        #expect(bare.isSound)
        #expect(bare.sources[0].warnings.first?.hasPrefix("there is no base backup") == true)
        #expect(try report(backups: 1).sources[0].warnings.isEmpty)
    }
}
