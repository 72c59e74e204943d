import Catalog
import Model
import Monitoring
import Platform
import Repository
import TestKit

/// A sidecar that archives nothing and says what a test wants to see; its clock is the real one.
final class SampleSidecar: SidecarView {
    /// What one source is to look like.
    enum Look: Sendable { case fine, breached, unreachable, gap, empty }

    private let sources: Monitor<[(name: SourceID, look: Look)]>
    private let repository = Monitor("ok")
    private let began: ClockReading
    private let time = SystemTimeSource()
    private static let day = 86_400.0
    /// Positions are bytes: a segment holds a hundred.
    private static let end: UInt64 = 20_050

    init(_ looks: [Look]) {
        let names = ["ledger", "lessons", "sessions", "billing", "search-index", "events"]
        sources = Monitor(
            looks.enumerated().map { index, look in
                let suffix = index < names.count ? "" : "-\(index / names.count)"
                return (SourceID(names[index % names.count] + suffix)!, look)
            })
        began = SystemTimeSource().reading()
    }

    var isReady: Bool { true }

    /// Changes the look of the source at a place.
    func show(_ look: Look, at index: Int) { sources.update { $0[index].look = look } }

    /// Changes how the repository is: `ok`, or why it takes nothing.
    func show(repository state: String) { repository.update { $0 = state } }

    private func kind(_ index: Int) -> DatabaseKind {
        [DatabaseKind.postgres, .mongodb, .redis][index % 3]
    }

    // MARK: status

    func status() -> StatusDocument {
        let now = time.reading()
        return StatusDocument(
            time: now.wall, repository: "file:///var/lib/tidemark",
            state: repository.read { $0 },
            sources: sources.read { $0 }.enumerated().map { status($0, $1.name, $1.look, now) })
    }

    private func status(
        _ index: Int, _ name: SourceID, _ look: Look, _ now: ClockReading
    ) -> SourceStatus {
        let passed = now.uptime.seconds(since: began.uptime)
        let (state, age, reason): (StreamState, Double?, String) =
            switch look {
            case .fine: (.streaming, 0.3 + 0.2 * Double(index % 4), "")
            case .breached:
                (.stalled, 1000 + passed, "the repository has not answered for 16 min 40 s")
            case .unreachable: (.connecting, 1900 + passed, "connection refused: mongo:27017")
            case .gap:
                (
                    .gap, nil,
                    "history was lost, and nothing after it can be restored before a new base "
                        + "backup (`tidemark run` takes it by itself, `tidemark backup` takes one "
                        + "now)"
                )
            case .empty: (.connecting, nil, "nothing is archived yet")
            }
        let snapshot = look == .empty ? nil : snapshot(index, name, look, now.wall)
        return SourceStatus(
            name: name, kind: kind(index), state: state,
            timeline: snapshot == nil ? nil : Sample.one,
            receivedPosition: snapshot == nil ? nil : "\(Self.end)",
            archivedPosition: snapshot == nil ? nil : "\(Self.end)",
            restorableTo: age.map { now.wall.advanced(bySeconds: -$0) }, exposureSeconds: age,
            rpoSeconds: index % 3 == 0 ? 900 : 3600,
            recoveryWindows: (snapshot?.windows() ?? []).map { .init($0) },
            gaps: (snapshot?.gaps ?? []).map { .init($0, HundredStyle()) },
            lastBackup: (snapshot?.backups.last).map { .init($0) },
            sourceWindow: snapshot == nil
                ? nil
                : SourceWindow(
                    kind: "slot", headroomSeconds: index % 3 == 0 ? nil : 7200,
                    headroomBytes: 64 << 30), reason: reason)
    }

    func counters() -> [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)] {
        let passed = time.monotonic().seconds(since: began.uptime)
        return sources.read { $0 }.enumerated().map { index, source in
            var values = SourceCounters.Values()
            values.archivedBytes = UInt64(passed * [1_260_000, 31_000, 0][index % 3])
            return (source.name, kind(index), values)
        }
    }

    func stored() -> StoredBytes? { nil }

    /// The browser is given `SampleHistory` instead.
    func history() -> [(source: SourceID, history: SourceHistory)] { [] }

    // MARK: going back

    func timeline() -> TimelineDocument {
        let now = time.wall()
        return TimelineDocument(
            time: now,
            sources: sources.read { $0 }.enumerated().map { index, source in
                source.look == .empty
                    ? SourceTimeline(name: source.name, kind: kind(index))
                    : SourceTimeline(snapshot(index, source.name, source.look, now), live: nil)
            })
    }

    func moment(_ at: CommitTime) -> MomentDocument {
        let now = time.wall()
        let moments = sources.read { $0 }.enumerated().map { index, source -> SourceMoment in
            let windows =
                source.look == .empty
                ? [] : snapshot(index, source.name, source.look, now).windows()
            guard windows.contains(where: { $0.from <= at && at <= $0.to }) else {
                return SourceMoment(
                    name: source.name, kind: kind(index), isRestorable: false,
                    reason: "\(at) lies outside of what was archived of \(source.name)",
                    nearestBefore: windows.last { $0.to < at }.map { Millis($0.to) },
                    nearestAfter: windows.first { $0.from > at }.map { Millis($0.from) })
            }
            let backups = snapshot(index, source.name, source.look, now).backups
            return SourceMoment(
                name: source.name, kind: kind(index), isRestorable: true,
                backup: backups.last.map { .init($0, HundredStyle()) }, changeBytes: 340 << 20,
                estimatedSeconds: index == 2 ? nil : 41.5,
                estimateBasis: "scaled from the restore that was measured")
        }
        let good = moments.filter(\.isRestorable).map { " --source \($0.name)" }.joined()
        return MomentDocument(
            at: at, sources: moments,
            command: good.isEmpty ? nil : "tidemark restore --to \(at) --into ./restored\(good)",
            findCommand: "tidemark find --around \(at)")
    }

    private func snapshot(
        _ index: Int, _ name: SourceID, _ look: Look, _ now: CommitTime
    ) -> CatalogSnapshot {
        var snapshot = CatalogSnapshot(
            descriptor: SourceDescriptor(
                source: name, kind: kind(index), identity: "7", majorVersion: "15",
                segmentBytes: 100, created: now.advanced(bySeconds: -20 * Self.day)),
            style: HundredStyle())
        let lost: Range<UInt64> = look == .gap ? 120..<150 : 0..<0
        Sample.fill(
            &snapshot, Sample.one, (0..<200).filter { !lost.contains($0) }, open: Self.end)
        snapshot.backups = (0..<8).reversed().map { days in
            backup(name, kind(index), UInt64(11_000 - days * 1000), now, Double(days))
        }
        snapshot.points = [
            RestorePoint(
                name: "before-migration", timeline: Sample.one, position: 15_500,
                time: began.wall.advanced(bySeconds: -4.6 * 3600 - Double(index)))
        ]
        let proved = now.advanced(bySeconds: -1)
        if look == .gap {
            let broken = snapshot.segments[Sample.one]!.last { $0.range.last <= 12_000 }!
            snapshot.lastCommits[broken.key] = now.advanced(bySeconds: -6 * 3600)
            snapshot.gaps = [
                Gap(
                    timeline: Sample.one, first: 12_000, last: 15_000,
                    found: began.wall.advanced(bySeconds: -5.9 * 3600),
                    reason: "the source no longer had it")
            ]
        }
        snapshot.watermark = Watermark(
            timeline: Sample.one, state: .streaming, received: Self.end, archived: Self.end,
            restorableTo: proved, provedAt: proved, written: now)
        return snapshot
    }

    private func backup(
        _ name: SourceID, _ kind: DatabaseKind, _ start: UInt64, _ now: CommitTime, _ days: Double
    ) -> BaseBackupDescriptor {
        let finished = began.wall.advanced(bySeconds: -days * Self.day - 11 * 3600)
        return BaseBackupDescriptor(
            id: "b\(start)", source: name, kind: kind, timeline: Sample.one, start: start,
            end: start + 20, started: finished.advanced(bySeconds: -300), finished: finished,
            bytes: 12 << 30, storedBytes: 4 << 30, files: [],
            server: ServerFacts(identity: "7", version: "150020"), warnings: [])
    }
}
