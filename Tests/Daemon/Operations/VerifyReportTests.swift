import Model
import Platform
import Repository
import TestKit
import Testing

@testable import Daemon

@Suite struct VerifyReportTests {
    @Test func `a source without a base backup is sound, and said to bring nothing back`() throws {
        let time = SimulatedTime()
        let repository = ArchiveRepository(MemoryStore())
        var random = SystemRandomNumberGenerator()
        try repository.openOrCreate(now: time.wall(), random: &random)
        let source = try #require(SourceID("ledger"))
        try repository.putDescriptor(
            SourceDescriptor(
                source: source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 16 << 20, created: time.wall()))
        let verifier = Verifier(
            repository, VerificationOptions(isDeep: false, sources: []), clock: time,
            rules: Rooms.verificationRules)
        let report = VerifyReport(try verifier.run { _ in }, deep: false)
        #expect(report.isSound)
        #expect(report.sources.map(\.name) == [source])
        #expect(report.sources[0].warnings.first?.hasPrefix("there is no base backup") == true)
    }
}
