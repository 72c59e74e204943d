import Model
import Platform
import Segments
import TestKit

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

    /// Compressible but not constant, different for each seed; no two megabytes are alike.
    static func content(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        let words = random.bytes(4096)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 4096)
        while bytes.count < count {
            bytes += String(bytes.count).utf8
            let start = Int(UInt8.random(in: 0...255, using: &random)) * 8
            bytes += words[start..<start + 1024]
        }
        return Array(bytes.prefix(count))
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
