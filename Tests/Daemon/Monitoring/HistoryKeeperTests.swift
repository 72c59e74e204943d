import Logging
import Model
import Monitoring
import Platform
import Repository
import TestKit
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(2)))
struct HistoryKeeperTests {
    private static let source = SourceID("ledger")!

    private struct Scene: Sendable {
        let time = SimulatedTime()
        let store = FaultyStore(MemoryStore())
        let lines = Monitor<[String]>([])

        var repository: ArchiveRepository { ArchiveRepository(store) }
        var minute: Int64 { HistoryPoint.minute(of: time.wall()) }
        var day: Int64 { HistoryPoint.day(of: minute) }

        func point(_ back: Int64, _ exposure: Double? = 1, _ bytes: UInt64 = 10) -> HistoryPoint {
            HistoryPoint(
                minute: minute - back, exposureSeconds: exposure, archivedBytes: bytes)
        }

        func keeper(isOurs: Bool = true) -> HistoryKeeper {
            let board = SourceBoard(source, time: time)
            if isOurs { board.takeUp(nil, time.reading()) }
            let lines = lines
            return HistoryKeeper(
                [board], repository, time: time,
                log: Logger(label: "test") { _ in LineCollector(lines: lines) })
        }

        /// Runs a keeper beside `body`, to its end.
        func run(_ keeper: HistoryKeeper, _ body: () throws -> Void) throws {
            let thread = DedicatedThread<Void>("test-history") { keeper.run() }
            defer {
                store.heal()
                keeper.finish()
            }
            try body()
            keeper.finish()
            try thread.join()
        }
    }

    @Test func `minutes reach the archive, and are there after a restart`() async throws {
        try await offPool {
            let scene = Scene()
            let first = scene.keeper()
            try scene.run(first) {
                first.add(Self.source, scene.point(2))
                first.add(Self.source, scene.point(1, nil, 0))
                try eventually("it is written") {
                    try scene.repository.history(Self.source, day: scene.day).count == 2
                }
                first.add(Self.source, scene.point(0, 3, 5))
            }
            // A part of the same minute, by the next process.
            let second = scene.keeper()
            try scene.run(second) {
                try eventually("it is loaded") {
                    second.history(Self.source).points(hours: 1, until: scene.minute).count == 3
                }
                second.add(Self.source, scene.point(0, 2, 7))
            }
            #expect(
                try scene.repository.history(Self.source, day: scene.day) == [
                    scene.point(2), scene.point(1, nil, 0), scene.point(0, 3, 12),
                ])
            #expect(
                second.history(Self.source).points(hours: 1, until: scene.minute).last
                    == scene.point(0, 3, 12))
        }
    }

    @Test func `a repository that hangs or fails holds up nobody, and nothing is missing later`()
        async throws
    {
        try await offPool {
            let scene = Scene()
            let keeper = scene.keeper()
            scene.store.fail(.put, .hang)
            try scene.run(keeper) {
                keeper.add(Self.source, scene.point(5))
                #expect(scene.store.waitUntilHanging())
                for back in (0..<5).reversed() { keeper.add(Self.source, scene.point(Int64(back))) }
                let points = keeper.history(Self.source).points(hours: 1, until: scene.minute)
                #expect(points.count == 6)
                scene.store.fail(
                    .put, TidemarkError(.repositoryFull, "the disk is full"), times: 1)
                scene.store.release()
                try eventually("the failure is told") {
                    scene.lines.read { $0.contains { $0.contains("the disk is full") } }
                }
            }
            #expect(try scene.repository.history(Self.source, day: scene.day).count == 6)
        }
    }

    @Test func `a damaged file is set aside and told, and the others are believed`() async throws {
        try await offPool {
            let scene = Scene()
            let key = Layout.history(Self.source, day: scene.day)
            let yesterday = scene.point(1440)
            try scene.repository.putHistory(Self.source, day: scene.day - 1, [yesterday])
            try scene.store.put(key, Array("time\n".utf8), .create)
            // Somebody who only looks changes nothing.
            let looker = scene.keeper(isOurs: false)
            try scene.run(looker) {
                try eventually("it is told") { scene.lines.read { !$0.isEmpty } }
                looker.add(Self.source, scene.point(3))
            }
            #expect(try scene.store.size(key) == 5)
            let keeper = scene.keeper()
            try scene.run(keeper) { keeper.add(Self.source, scene.point(1)) }
            #expect(
                try scene.repository.history(Self.source, day: scene.day) == [scene.point(1)])
            #expect(try scene.store.size(ObjectKey(key.path + ".damaged")) == 5)
            #expect(scene.lines.read { $0.contains { $0.contains("it was set aside as") } })
            #expect(
                keeper.history(Self.source).points(hours: 48, until: scene.minute).count == 2)
        }
    }

    @Test func `a day that has not come is set aside, and alerts outlive the process`()
        async throws
    {
        try await offPool {
            let scene = Scene()
            try scene.repository.putHistory(Self.source, day: scene.day + 40, [])
            let first = scene.keeper()
            let since = scene.time.wall()
            try scene.run(first) {
                try eventually("it is known that nothing was raised") {
                    first.raised(Self.source) == [:]
                }
                first.add(Self.source, scene.point(0))
                first.keep(Self.source, raised: [.breached: since])
            }
            #expect(try scene.repository.historyDays(Self.source) == [scene.day])
            #expect(scene.lines.read { $0.contains { $0.contains("a day that has not come") } })
            let second = scene.keeper()
            try scene.run(second) {
                try eventually("it is loaded") {
                    second.raised(Self.source) == [.breached: since]
                }
                second.keep(Self.source, raised: [:])
            }
            #expect(try scene.repository.alerts(Self.source).isEmpty)
        }
    }

    @Test func `days older than ninety are removed`() async throws {
        try await offPool {
            let scene = Scene()
            for back in [88, 89, 90, 200] {
                try scene.repository.putHistory(Self.source, day: scene.day - Int64(back), [])
            }
            let keeper = scene.keeper()
            try scene.run(keeper) { keeper.add(Self.source, scene.point(0)) }
            #expect(
                try scene.repository.historyDays(Self.source)
                    == [scene.day - 89, scene.day - 88, scene.day])
        }
    }
}

/// Keeps the messages.
private struct LineCollector: LogHandler {
    let lines: Monitor<[String]>
    var logLevel: Logger.Level = .debug
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.update { $0.append("\(event.message)") } }
}
