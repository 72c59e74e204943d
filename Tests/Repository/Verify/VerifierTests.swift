import Model
import Platform
import Segments
import TestKit
import Testing

@testable import Repository

struct VerifierTests {
    private typealias Archive = SmallArchive

    /// Damages a sound archive, verifies it, and returns the report.
    private func verify(
        deep: Bool = true, _ change: @escaping @Sendable (SmallArchive) throws -> Void = { _ in }
    ) async throws -> VerificationReport {
        try await offPool {
            let archive = try SmallArchive()
            try change(archive)
            return try archive.verify(deep: deep)
        }
    }

    @Test(arguments: [true, false])
    func `a sound archive has no problem, and its contents are counted`(
        _ deep: Bool
    ) async throws {
        let report = try await verify(deep: deep)
        #expect(report.problems == [])
        #expect(report.state == .sound)
        #expect(report.failure == nil)
        #expect(report.archive?.count == 32)
        let ledger = try #require(report.sources.first)
        #expect(report.sources.count == 1)
        #expect(ledger.segments == 5)
        #expect(ledger.openSegments == 1)
        #expect(ledger.baseBackups == 1)
        #expect(ledger.restorePoints == 1)
        #expect(
            ledger.stretches == [
                SourceVerification.Stretch(
                    timeline: Archive.one, first: "@0", last: "@\(Archive.end)")
            ])
        // Five sealed, one open, four files of the base backup.
        #expect(report.objects == 10)
    }

    @Test func `a gzip archive is verified the same way`() async throws {
        let report = try await offPool { try SmallArchive(compression: .gzip).verify() }
        #expect(report.problems == [])
        #expect(report.sources.first?.segments == 5)
    }

    @Test func `the report is JSON with the keys of the contract`() async throws {
        let report = try await verify { archive in
            try archive.memory.delete(archive.segment(2))
        }
        let text = String(decoding: try JSONDocument.encode(report), as: UTF8.self)
        for key in [
            "\"state\" : \"damaged\"", "\"problems\"", "\"what\"", "\"remedy\"",
            "\"kind\" : \"missing\"",
            "\"base_backups\" : 1", "\"read_bytes\"", "\"deep\" : true", "\"source\" : \"ledger\"",
        ] { #expect(text.contains(key), "\(key) in \(text)") }
        #expect(report.failure?.code.exitStatus == 4)
    }

    // MARK: segments

    @Test func `a flipped bit in any part of a segment is found`() async throws {
        let reports = try await offPool {
            let archive = try SmallArchive()
            let key = archive.segment(1)
            let size = archive.memory.bytes(key)!.count
            return try stride(from: 3, to: size, by: size / 23).map { place in
                archive.memory.corrupt(key) { $0[place] ^= 4 }
                defer { archive.memory.corrupt(key) { $0[place] ^= 4 } }
                return try archive.verify().problems
            }
        }
        #expect(reports.count >= 23)
        for problems in reports {
            #expect(Set(problems.map(\.key)) == ["ledger/wal/1/00000000000000065536.lz4"])
            #expect(problems.first?.kind == .damaged)
        }
    }

    @Test func `a cut segment is found without reading content`() async throws {
        let report = try await verify(deep: false) { archive in
            archive.memory.corrupt(archive.segment(3)) { $0.removeLast(10) }
        }
        #expect(report.problems.map(\.key) == ["ledger/wal/1/00000000000000196608.lz4"])
        #expect(report.problems.first?.remedy.isEmpty == false)
    }

    @Test func `a segment under another one's name is found without reading content`() async throws
    {
        let report = try await verify(deep: false) { archive in
            let other = archive.memory.bytes(archive.segment(1))!
            try archive.memory.put(archive.segment(2), other, .replace)
        }
        #expect(report.problems.contains { $0.what.contains("another range than its name") })
    }

    @Test func `a missing segment is a hole, and a base backup that needs it says so`() async throws
    {
        let hole = try await verify(deep: false) { archive in
            try archive.memory.delete(archive.segment(2))
        }
        #expect(hole.problems.count == 1)
        #expect(hole.problems.first?.kind == .missing)
        #expect(hole.problems.first?.what.contains("from @131072 to @196608") == true)
        #expect(hole.problems.first?.key.hasSuffix("/00000000000000131072") == true)
        #expect(hole.sources.first?.stretches.count == 2)
        let needed = try await verify(deep: false) { archive in
            try archive.takeBackup(3 * Archive.size - 9..<3 * Archive.size + 9)
            try archive.memory.delete(archive.segment(3))
        }
        #expect(needed.problems.count == 2)
        #expect(needed.problems.contains { $0.what.contains("needs timeline 1 from @196599") })
    }

    @Test func `a hole that nobody has noticed is a problem also behind a later base backup`()
        async throws
    {
        let report = try await verify(deep: false) { archive in
            try archive.takeBackup(3 * Archive.size + 5..<3 * Archive.size + 9)
            try archive.memory.delete(archive.segment(2))
        }
        let problem = try #require(report.problems.first)
        #expect(report.problems.map(\.kind) == [.missing])
        #expect(report.failure?.code.exitStatus == 4)
        // The files, what they cost, and what is left.
        #expect(problem.what.contains("(00000000000000131072)"), "\(problem.what)")
        #expect(problem.what.contains("moments between "), "\(problem.what)")
        #expect(problem.what.contains("from base backup "), "\(problem.what)")
        #expect(problem.remedy.contains("from a copy of the archive"))
        // One that needs what is missing makes up for nothing.
        let inside = try await verify(deep: false) { archive in
            try archive.takeBackup(2 * Archive.size + 5..<3 * Archive.size + 9)
            try archive.memory.delete(archive.segment(2))
        }
        #expect(Set(inside.problems.map(\.kind)) == [.missing])
        #expect(inside.problems.contains { $0.what.contains("nothing after ") })
    }

    @Test func `a hole older than the first base backup is needed by nobody`() async throws {
        let report = try await verify(deep: false) { archive in
            let first = try #require(try archive.repository.backups(Archive.source).first)
            try archive.takeBackup(3 * Archive.size + 5..<3 * Archive.size + 9)
            try archive.repository.removeBackup(Archive.source, first.id)
            try archive.memory.delete(archive.segment(2))
        }
        #expect(report.problems.map(\.kind) == [.passed])
        #expect(report.failure == nil)
    }

    @Test func `a hole that a gap record explains is no problem`() async throws {
        let report = try await verify { archive in
            try archive.memory.delete(archive.segment(2))
            try archive.repository.putGap(
                Archive.source, Archive.style,
                Gap(
                    timeline: Archive.one, first: 2 * Archive.size, last: 3 * Archive.size,
                    found: archive.time.wall(), reason: "slot lost"))
        }
        #expect(report.problems == [])
        #expect(report.sources.first?.gaps == 1)
    }

    @Test func `a segment written after another predecessor breaks the chain`() async throws {
        let report = try await verify(deep: false) { archive in
            // Another archive's segment of the same range, sound in itself.
            let writer = try archive.writer()
            try archive.memory.delete(archive.segment(1))
            try writer.begin(
                archive.opening(Position(timeline: Archive.one, ordinal: Archive.size)))
            let other = [UInt8](repeating: 7, count: Int(Archive.size))
            try writer.append(other.span.bytes, at: Archive.size)
            try writer.flush()
            try writer.settle()
            writer.close()
        }
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.what.contains("was written after another segment") == true)
    }

    // MARK: open end

    @Test func `the open segment must hold what the watermark claims`() async throws {
        let torn = try await verify { archive in
            archive.memory.corrupt(archive.segment(5, suffix: ".partial")) { bytes in
                for place in bytes.indices.suffix(bytes.count - 40) { bytes[place] = 0 }
            }
        }
        #expect(torn.problems.count == 1)
        #expect(torn.problems.first?.key == "ledger/watermark.json")
        #expect(torn.problems.first?.what.contains("@\(Archive.end)") == true)
        let behind = try await verify { archive in
            try archive.putWatermark(Archive.one, Archive.end - 500)
        }
        #expect(behind.problems == [])
    }

    @Test func `a copy of a damaged segment is told, and no problem`() async throws {
        let report = try await verify { archive in
            try archive.memory.put(
                archive.segment(5, suffix: ".partial.damaged-30"), [1, 2, 3], .create)
        }
        #expect(report.state == .sound)
        #expect(report.problems.map(\.kind) == [.setAside])
        #expect(report.problems.first?.key.hasSuffix(".partial.damaged-30") == true)
        #expect(report.failure == nil)
    }

    @Test func `an open segment with whole frames behind damage is damaged`() async throws {
        let report = try await verify { archive in
            let frame = Buffer(capacity: 1000)
            Compression.lz4.encoder().encode([1, 2, 3].span.bytes, into: frame)
            archive.memory.corrupt(archive.segment(5, suffix: ".partial")) { bytes in
                bytes += [9, 9, 9] + frame.array
            }
        }
        #expect(report.problems.map(\.kind) == [.damaged])
        #expect(report.problems.first?.what.contains("whole frames follow") == true)
        #expect(report.problems.first?.remedy.contains("`tidemark run`") == true)
    }

    @Test func `what the source has left is not asked of it`() async throws {
        let report = try await verify { archive in
            try archive.switchTimeline()
            let frame = Buffer(capacity: 1000)
            Compression.lz4.encoder().encode([1, 2, 3].span.bytes, into: frame)
            archive.memory.corrupt(archive.segment(5, suffix: ".partial")) { bytes in
                bytes += [9, 9, 9] + frame.array
            }
        }
        let torn = try #require(
            report.problems.first { $0.what.contains("whole frames follow") })
        #expect(!torn.remedy.contains("tidemark run"), "\(torn.remedy)")
        #expect(torn.remedy.contains("--timeline 1"), "\(torn.remedy)")
    }

    @Test func `what was acknowledged counts, also while it is sent again`() async throws {
        let report = try await verify { archive in
            try archive.putWatermark(
                Archive.one, Archive.end - 500, acknowledged: Archive.end + 1)
        }
        #expect(report.problems.map(\.key) == ["ledger/watermark.json"])
    }

    @Test func `a stream that has received nothing yet is sound`() async throws {
        let fresh = try await verify { archive in
            try archive.putWatermark(Archive.two, 9 * Archive.size)
        }
        #expect(fresh.problems == [])
        let afterLoss = try await verify { archive in
            try archive.putWatermark(Archive.one, 9 * Archive.size)
            try archive.repository.putGap(
                Archive.source, Archive.style,
                Gap(
                    timeline: Archive.one, first: Archive.end, last: 9 * Archive.size,
                    found: archive.time.wall(), reason: "slot lost"))
        }
        #expect(afterLoss.problems == [])
    }

    @Test func `segments sealed or expired while we look are no damage`() async throws {
        let report = try await offPool {
            let archive = try SmallArchive()
            let shy = VanishingStore(archive.memory, archive.segment(0))
            let verifier = Verifier(
                ArchiveRepository(shy), VerificationOptions(isDeep: true, threads: 1),
                clock: archive.time
            ) { _ in Archive.rules }
            try archive.memory.delete(
                archive.memory.keys.first { $0.name == Layout.manifestName }!)
            return try verifier.run { (_) throws(TidemarkError) in }
        }
        #expect(report.problems == [])
        #expect(report.sources.first?.unfinishedBackups == 1)
    }

    // MARK: timelines

    @Test func `a timeline that goes on where its history says is sound`() async throws {
        let report = try await verify { try $0.switchTimeline() }
        #expect(report.problems == [])
        #expect(report.sources.first?.documents == 1)
        #expect(report.sources.first?.stretches.count == 2)
    }

    @Test func `a timeline without its history file is a problem`() async throws {
        let report = try await verify { archive in
            try archive.switchTimeline()
            try archive.memory.delete(ObjectKey("ledger/wal/2/2.history.lz4"))
        }
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.what.contains("has no history file") == true)
    }

    @Test func `a timeline that starts behind its switch point is a problem`() async throws {
        let report = try await verify { archive in
            try archive.switchTimeline()
            try archive.memory.delete(archive.segment(5, Archive.two))
        }
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.what.contains("where another timeline leaves it") == true)
    }

    @Test func `a parent that ends before its child leaves it is a problem`() async throws {
        let report = try await verify { archive in
            try archive.switchTimeline()
            try archive.memory.delete(archive.segment(4))
            try archive.memory.delete(archive.segment(5, suffix: ".partial"))
        }
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.what.contains("timeline 1 of ledger is missing") == true)
    }

    @Test func `a history file that makes no sense is a problem`() async throws {
        let report = try await verify { try $0.switchTimeline(document: "gibberish") }
        #expect(report.problems.map(\.kind) == [.damaged])
    }

    // MARK: the rest

    @Test func `all problems are told, not only the first`() async throws {
        let report = try await verify { archive in
            archive.memory.corrupt(archive.segment(0)) { $0[20] ^= 1 }
            try archive.memory.delete(archive.segment(2))
            archive.memory.corrupt(archive.segment(4)) { $0.removeAll() }
            archive.memory.corrupt(Layout.point(Archive.source, "before the party")) { $0[0] = 0 }
            try archive.memory.put(ObjectKey("ledger/gaps/1-2.json"), [1], .create)
            archive.memory.corrupt(Layout.watermark(Archive.source)) { $0.removeLast(5) }
            archive.memory.corrupt(Layout.marker) { $0.removeAll() }
            try archive.memory.put(ObjectKey("other/wal/1/x.lz4"), [1], .create)
        }
        #expect(report.problems.count == 8)
        #expect(Set(report.problems.map(\.source)) == [nil, Archive.source, SourceID("other")])
    }

    @Test func `an archive that is not there is an error, not a report`() async throws {
        let error = await #expect(throws: TidemarkError.self) {
            try await verify { try $0.memory.delete(Layout.marker) }
        }
        #expect(error?.code == .repositoryUnreachable)
        let gone = await #expect(throws: TidemarkError.self) {
            try await verify { archive in
                let away = TidemarkError(.repositoryUnreachable, "not mounted")
                archive.store.fail(.open, .error(away), times: 1000, skipping: 8)
                archive.store.fail(.size, .error(away), times: 1000, skipping: 8)
            }
        }
        #expect(gone?.code == .repositoryUnreachable)
    }

    @Test func `one unreadable file is a problem, not the end`() async throws {
        let report = try await verify { archive in
            let bad = TidemarkError(.repositoryUnreachable, "input/output error")
            archive.store.fail(.read, .error(bad), times: 1, skipping: 12)
        }
        #expect(report.problems.map(\.kind) == [.unreadable])
    }

    @Test func `a caller that throws ends it`() async throws {
        let error = await #expect(throws: TidemarkError.self) {
            try await offPool {
                let archive = try SmallArchive()
                let verifier = Verifier(
                    archive.repository, VerificationOptions(isDeep: true), clock: archive.time
                ) { _ in Archive.rules }
                _ = try verifier.run { (_) throws(TidemarkError) in
                    throw TidemarkError(.cancelled, "stopped")
                }
            }
        }
        #expect(error?.code == .cancelled)
    }
}
