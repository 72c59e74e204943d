import Logging
import Model
import Platform
import Repository
import Segments
import TestKit
import Testing

@testable import Daemon

/// What a command that needs the stream waits for.
struct StreamBesideTests {
    @Test func `a stream that has not told its source yet is waited for`() async throws {
        try await offPool {
            let source = try #require(SourceID("cache"))
            let repository = ArchiveRepository(MemoryStore())
            let time = SystemTimeSource()
            // The sidecar that has just begun.
            let lease = try ArchiveLease.acquire(repository.store, source, .stream, time)
            defer { lease.release() }
            let room = ScriptedRoom(
                source, on: TimelineID("aaaa"), opening: {}, acknowledged: { _ in })
            let beside = try StreamBeside(
                room, repository,
                Archiver.Options(compression: .lz4, flushInterval: 1, segmentAge: 600),
                time: time, log: Logger(label: "test"))
            defer { beside.close() }
            let told = Monitor<String?>(nil)
            let late = DedicatedThread("late") { () throws(TidemarkError) in
                _ = told.wait(seconds: 0.3) { $0 }
                try repository.putDescriptor(
                    SourceDescriptor(
                        source: source, kind: .redis, identity: "aaaa", majorVersion: "7.0",
                        segmentBytes: 1 << 24, created: time.wall()))
            }
            #expect(try repository.descriptor(source) == nil)
            #expect(try beside.descriptor().identity == "aaaa")
            try late.join()
        }
    }
}
