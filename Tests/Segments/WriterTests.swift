import Model
import Platform
import Storage
import TestKit
import Testing

@testable import Segments

/// The segment writer in good times.
@Suite struct WriterTests {
    @Test(arguments: Compression.allCases, [1 << 20, 2 << 20, 16 << 20] as [UInt64])
    func `segments hold exactly their bytes, chained and indexed`(
        _ compression: Compression, _ bytes: UInt64
    ) async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store, .aligned(bytes: bytes))
            archive.options.compression = compression
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            let end = bytes * 2 + 123_457
            try archive.play(writer, to: end)
            #expect(try writer.flush() == end)
            try writer.settle()
            writer.close()
            try archive.checkEverything(to: end)
            #expect(try archive.stored().map(\.isSealed) == [true, true, false])
            #expect(try archive.end() == end)
        }
    }

    @Test func `a segment of 64 MiB passes through bounded memory`() async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store, .aligned(bytes: 64 << 20))
            archive.history.spacing = 7000
            let writer = try archive.writer()
            try writer.begin(archive.opening(64 << 20))
            try archive.play(writer, to: 128 << 20, pieces: 131_072)
            #expect(try writer.flush() == 128 << 20)
            try writer.settle()
            writer.close()
            try archive.checkEverything(from: 64 << 20, to: 128 << 20)
            #expect(try archive.stored().map(\.isSealed) == [true])
        }
    }

    @Test(arguments: Compression.allCases)
    func `many small flushes are durable each, and rewritten when sealed`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store)
            archive.options.compression = compression
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            var random = SeededRandom(seed: 11)
            while writer.received < 1 << 20 {
                let step = UInt64.random(in: 1...9000, using: &random)
                try archive.play(writer, to: min(writer.received + step, 1 << 20))
                #expect(try writer.flush() == writer.received)
                #expect(try archive.end() == writer.received)
            }
            try writer.settle()
            writer.close()
            try archive.checkEverything(to: 1 << 20)
            let sealed = try #require(store.keys.first { $0.name.hasSuffix(compression.suffix) })
            var frames = 0
            let reader = try SegmentReader(store, sealed)
            while try reader.read({ (_) in frames += 1 }) {}
            #expect(frames == 1, "the sealed file has whole frames")
            #expect(store.keys.count == 1)
        }
    }

    @Test func `the open file is valid LZ4 after every flush, and grows by windows`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path, createRoot: false)
            let archive = Archive(store)
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            var sizes: Set<UInt64> = []
            for step in [200, 8192, 65_000, 3, 300_000, 200, 1000] as [UInt64] {
                try archive.play(writer, to: writer.received + step)
                try writer.flush()
                let open = try #require(archive.stored().last)
                sizes.insert(try store.size(open.key) ?? 0)
                let file = scratch.path + "/" + open.key.path
                let content = try outside("lz4", ["-dc", file], [])
                #expect(content == archive.history.bytes(0, writer.received))
            }
            #expect(sizes.count < 4, "small flushes overwrite zeros: \(sizes)")
            writer.close()
        }
    }

    @Test(arguments: Compression.allCases)
    func `the standard tools read sealed files`(_ compression: Compression) async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path, createRoot: false)
            var archive = Archive(store, .aligned(bytes: 4 << 20))
            archive.options.compression = compression
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            try archive.play(writer, to: 4 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            let sealed = try #require(archive.stored().first)
            #expect(sealed.isSealed)
            let file = scratch.path + "/" + sealed.key.path
            let tool = compression == .lz4 ? "lz4" : "gzip"
            #expect(try outside(tool, ["-dc", file], []) == archive.history.bytes(0, 4 << 20))
            try archive.checkEverything(to: 4 << 20)
        }
    }

    @Test func `the pipeline makes bytes durable by itself and wakes the stream`() async throws {
        try await offPool {
            let woken = Monitor(0)
            var archive = Archive(MemoryStore(), .aligned(bytes: 16 << 20))
            archive.options.wake = { woken.update { $0 += 1 } }
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            try archive.play(writer, to: 3 << 20)
            _ = try writer.poll()
            let durable: UInt64? = woken.wait(seconds: 30) { _ in
                let durable = try? writer.poll()
                return durable == 3 << 20 ? durable : nil
            }
            #expect(durable == 3 << 20)
            #expect(try archive.end() == 3 << 20)
            writer.close()
        }
    }

    @Test func `received bytes are due after the flush interval`() async throws {
        try await offPool {
            let archive = Archive(MemoryStore())
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            #expect(!writer.shouldFlush(archive.time.monotonic().advanced(bySeconds: 100)))
            try archive.play(writer, to: 100)
            #expect(!writer.shouldFlush(archive.time.monotonic().advanced(bySeconds: 0.9)))
            #expect(writer.shouldFlush(archive.time.monotonic().advanced(bySeconds: 1)))
            try writer.flush()
            #expect(!writer.shouldFlush(archive.time.monotonic().advanced(bySeconds: 100)))
            writer.close()
        }
    }

    @Test func `a timeline that ends leaves its incomplete segment open`() async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store)
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            try archive.play(writer, to: 1_500_000)
            let next = Position(timeline: TimelineID("2"), ordinal: 1 << 20)
            #expect(try writer.endTimeline(next: next) == 1 << 20)
            try archive.checkEverything(to: 1_500_000)
            let old = try #require(archive.stored().last)
            #expect(!old.isSealed)
            let bytes = try #require(store.bytes(old.key))
            #expect(try outside("lz4", ["-dc"], bytes).count == 1_500_000 - (1 << 20))
            archive.timeline = TimelineID("2")
            #expect(writer.received == 1 << 20)
            try archive.play(writer, to: 3 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            try archive.checkEverything(from: 1 << 20, to: 3 << 20)
        }
    }

    @Test func `a source without fixed segments is cut by size and by age`() async throws {
        try await offPool {
            let store = MemoryStore()
            let archive = Archive(store, .size(bytes: 200_000, age: 60))
            let writer = try archive.writer()
            try writer.begin(archive.opening(500))
            try archive.play(writer, to: 450_500, pieces: 50_000)
            try writer.flush()
            try writer.settle()
            let ends = try archive.stored().filter(\.isSealed).map(\.range.last)
            #expect(ends == [200_500, 400_500])
            archive.time.advance(61)
            try writer.flush()
            try writer.settle()
            #expect(try archive.stored().last?.range.last == 450_500)
            try archive.checkEverything(from: 500, to: 450_500)
            try archive.play(writer, to: 460_000)
            try writer.flush()
            writer.close()
            let again = try archive.writer()
            #expect(try again.begin(archive.opening(450_500)) == 460_000)
            try archive.play(again, to: 700_000)
            try again.flush()
            try again.settle()
            again.close()
            try archive.checkEverything(from: 500, to: 700_000)
        }
    }

    @Test(arguments: Compression.allCases)
    func `a source that sends nothing again goes on in the middle of a segment`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store, .size(bytes: 200_000, age: 60))
            archive.options.compression = compression
            for stop in [70_007, 140_001, 200_030, 330_000, 500_000] as [UInt64] {
                let writer = try archive.writer()
                let from = try archive.end()
                var opening = archive.opening(from)
                opening.state = String(from % 16)
                #expect(try writer.begin(opening) == from)
                try archive.play(writer, to: stop, pieces: 30_000)
                try writer.flush()
                writer.close()
            }
            try archive.checkEverything(to: 500_000)
            for segment in try archive.stored() where segment.isSealed {
                let reader = try SegmentReader(store, segment.key)
                defer { reader.close() }
                #expect(reader.descriptor?.state == String(segment.range.first % 16))
            }
            let open = try #require(try archive.stored().last)
            let survey = try SegmentReader.survey(
                store, open.key, first: open.range.first, bytes: 0)
            #expect(!open.isSealed && survey.state == String(open.range.first % 16))
        }
    }

    @Test func `nothing is cut between two edges`() async throws {
        try await offPool {
            let store = MemoryStore()
            let archive = Archive(store, .size(bytes: 1000, age: 1))
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            for first in stride(from: 0, to: 50_000, by: 1000) as StrideTo<UInt64> {
                let bytes = archive.history.bytes(first, first + 1000)
                try writer.append(bytes.span.bytes, at: first)
                archive.time.advance(2)
                try writer.flush()
            }
            try writer.edge(50_000, state: "")
            try writer.flush()
            try writer.settle()
            #expect(try archive.stored().map(\.range.last) == [50_000])
            writer.close()
        }
    }

    @Test func `an open segment stays as it is behind lost history`() async throws {
        try await offPool {
            let store = MemoryStore()
            let archive = Archive(store, .size(bytes: 200_000, age: 60))
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            try archive.play(writer, to: 5000)
            try writer.flush()
            writer.close()
            let again = try archive.writer()
            #expect(try again.begin(archive.opening(9000)) == 9000)
            try archive.play(again, to: 12_000)
            try again.flush()
            again.close()
            let late = try archive.writer()
            let error = #expect(throws: TidemarkError.self) {
                try late.begin(archive.opening(11_000))
            }
            #expect(error?.code == .sourceUnreachable)
            late.close()
            #expect(try archive.stored().map(\.range.first) == [0, 9000])
            #expect(try archive.read(archive.stored()[0].key) == archive.history.bytes(0, 5000))
            #expect(
                try archive.read(archive.stored()[1].key) == archive.history.bytes(9000, 12_000))
        }
    }

    @Test(arguments: Compression.allCases)
    func `documents of a timeline are stored once and compared`(
        _ compression: Compression
    ) async throws {
        try await offPool {
            let store = MemoryStore()
            var archive = Archive(store)
            archive.options.compression = compression
            let writer = try archive.writer()
            let history = Array("1\t0/3000000\tno recovery target specified\n".utf8)
            let name = "00000002.history"
            try writer.attach(name, timeline: TimelineID("2"), history)
            try writer.attach(name, timeline: TimelineID("2"), history)
            let key = ObjectKey("ledger/wal/2/\(name)\(compression.suffix)")
            #expect(try TimelineDocument.read(store, key) == history)
            try writer.attach("empty", timeline: TimelineID("2"), [])
            let error = #expect(throws: TidemarkError.self) {
                try writer.attach(name, timeline: TimelineID("2"), history + [1])
            }
            #expect(error?.code == .contentConflict && error?.message.contains(name) == true)
            writer.close()
        }
    }

    @Test func `sealed segments are announced with their size`() async throws {
        try await offPool {
            let announced = Monitor<[(UInt64, UInt64)]>([])
            let store = MemoryStore()
            var archive = Archive(store)
            archive.options.sealed = { segment, stored in
                announced.update { $0.append((segment.last, stored)) }
            }
            let writer = try archive.writer()
            try writer.begin(archive.opening(0))
            try archive.play(writer, to: 2 << 20)
            try writer.flush()
            try writer.settle()
            writer.close()
            let sizes = try store.list("").map(\.size)
            #expect(announced.read { $0.map(\.0) } == [1 << 20, 2 << 20])
            #expect(announced.read { $0.map(\.1) } == sizes)
        }
    }
}
