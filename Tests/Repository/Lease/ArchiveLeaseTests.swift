import Model
import Platform
import Storage
import TestKit
import Testing

@testable import Repository

struct ArchiveLeaseTests {
    private let memory = MemoryStore()
    private let time = SimulatedTime()
    private let ledger = BackupFixture.ledger

    private func check(
        _ body: @escaping @Sendable (any ObjectStore, SimulatedTime) throws -> Void,
        on store: any ObjectStore
    ) async throws {
        let time = time
        try await offPool { try body(store, time) }
    }

    @Test func `one at a time, in every kind of store`() async throws {
        for store: any ObjectStore in [memory, PlainStore(memory)] {
            try await check(
                { store, time in
                    let ledger = BackupFixture.ledger
                    let lease = try ArchiveLease.acquire(store, ledger, .baseBackup, time)
                    let error = #expect(throws: TidemarkError.self) {
                        try ArchiveLease.acquire(store, ledger, .baseBackup, time)
                    }
                    #expect(error?.message.contains("by process") == true)
                    #expect(error?.message.contains("2026-11-22T12:00:00") == true)
                    let other = try ArchiveLease.acquire(
                        store, SourceID("other")!, .baseBackup, time)
                    other.release()
                    lease.release()
                    lease.release()
                    let next = try ArchiveLease.acquire(store, ledger, .baseBackup, time)
                    next.release()
                    #expect(try store.list("").isEmpty)
                }, on: store)
        }
    }

    @Test func `the stream's lease is another than the base backup's`() async throws {
        for store: any ObjectStore in [memory, PlainStore(memory)] {
            try await check(
                { store, time in
                    let ledger = BackupFixture.ledger
                    let backup = try ArchiveLease.acquire(store, ledger, .baseBackup, time)
                    let stream = try ArchiveLease.acquire(store, ledger, .stream, time)
                    let error = #expect(throws: TidemarkError.self) {
                        try ArchiveLease.acquire(store, ledger, .stream, time)
                    }
                    #expect(error?.message.contains("is being archived here already") == true)
                    #expect(error?.remedy.contains("takes over") == true)
                    stream.release()
                    backup.release()
                    #expect(try store.list("").isEmpty)
                }, on: store)
        }
    }

    @Test func `a lease that is dropped is given back`() async throws {
        try await check(
            { store, time in
                _ = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
                _ = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
            }, on: memory)
    }

    @Test func `after a crash the lock is free at once`() async throws {
        let memory = memory
        try await check(
            { store, time in
                let held = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
                var random = SeededRandom(seed: 1)
                memory.crash(&random)
                let next = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
                next.release()
                held.release()
            }, on: memory)
    }

    @Test(arguments: [(LeasePurpose.stream, 30.0), (.baseBackup, 300)])
    func `a heartbeat that stopped is taken over after its time, not before`(
        purpose: LeasePurpose, seconds: Double
    ) async throws {
        try await check(
            { store, time in
                let ledger = BackupFixture.ledger
                // What a killed process leaves behind.
                let dead = LeaseHolder(
                    host: "gone", process: 7, attempt: 1, started: time.wall(), renewed: time.wall()
                )
                try store.put(purpose.key(ledger), JSONDocument.encode(dead), .create)
                time.advance(seconds - 1)
                #expect(throws: TidemarkError.self) {
                    try ArchiveLease.acquire(store, ledger, purpose, time)
                }
                time.advance(2)
                let lease = try ArchiveLease.acquire(store, ledger, purpose, time)
                if purpose == .baseBackup { #expect(lease.abandonedAfterSeconds == 3600) }
                lease.release()
            }, on: PlainStore(memory))
    }

    @Test func `on a real file repository a second process would be refused`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path + "/archive", createRoot: true)
            let time = SimulatedTime()
            let lease = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
            let error = #expect(throws: TidemarkError.self) {
                try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
            }
            #expect(error?.message.contains("by process") == true)
            #expect(lease.abandonedAfterSeconds == 0)
            lease.release()
            let next = try ArchiveLease.acquire(store, BackupFixture.ledger, .baseBackup, time)
            next.release()
            #expect(try store.list("").isEmpty)
        }
    }
}
