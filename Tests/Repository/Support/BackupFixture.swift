import Model
import Platform
import Segments

@testable import Repository

/// What tests of base backups share: a source, a start, deterministic content, and a decoder.
enum BackupFixture {
    static let ledger = SourceID("ledger")!
    static let noon = CommitTime("2026-11-22T12:00:00Z")!
    static let one = TimelineID("1")

    struct Clock: TimeSource {
        func monotonic() -> MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000) }
        func wall() -> CommitTime { noon }
    }

    static func start(
        configuration: [(path: String, content: [UInt8])] = [], identity: String = "7001"
    ) -> BaseBackupStart {
        BaseBackupStart(
            descriptor: SourceDescriptor(
                source: ledger, kind: .postgres, identity: identity, majorVersion: "15",
                segmentBytes: 16 << 20, created: noon),
            timeline: one, start: 0x300_0060,
            server: ServerFacts(identity: identity, version: "150020"),
            configuration: configuration, estimatedBytes: 12_345)
    }

    static let base = BaseBackupFile(name: "base.tar", role: .data, origin: nil, location: nil)
    static let space = BaseBackupFile(
        name: "16385.tar", role: .tablespace, origin: "16385", location: "/srv/fast")
    static let manifest = BaseBackupFile(
        name: "backup_manifest", role: .manifest, origin: nil, location: nil)
    static let end = BaseBackupEnd(position: 0x300_0200, warnings: [])

    /// Compressible but not constant, different for each seed.
    static func content(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { index in
            if index % 7 == 0 { state = state &* 6_364_136_223_846_793_005 &+ 1 }
            return UInt8(truncatingIfNeeded: state >> 33) & (index % 3 == 0 ? 0xFF : 0x0F)
        }
    }

    /// The content of a row of frames.
    static func decoded(_ stored: [UInt8], _ compression: Compression) throws -> [UInt8] {
        let decoder = compression.decoder()
        var rest = stored.span.bytes
        var content: [UInt8] = []
        while rest.byteCount > 0 {
            let step = try decoder.decode(rest)
            rest = rest.extracting(step.consumed..<rest.byteCount)
            if step.item == .content { content += decoder.content.array }
        }
        return content
    }
}
