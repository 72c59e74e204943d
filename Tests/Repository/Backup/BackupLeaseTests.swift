import Model
import Platform
import Storage
import TestKit
import Testing

@testable import Repository

struct BackupLeaseTests {
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
                    let lease = try BackupLease.acquire(store, ledger, time)
                    let error = #expect(throws: TidemarkError.self) {
                        try BackupLease.acquire(store, ledger, time)
                    }
                    #expect(error?.message.contains("by process") == true)
                    #expect(error?.message.contains("2026-11-22T12:00:00") == true)
                    let other = try BackupLease.acquire(store, SourceID("other")!, time)
                    other.release()
                    lease.release()
                    lease.release()
                    let next = try BackupLease.acquire(store, ledger, time)
                    next.release()
                    #expect(try store.list("").isEmpty)
                }, on: store)
        }
    }

    @Test func `a lease that is dropped is given back`() async throws {
        try await check(
            { store, time in
                _ = try BackupLease.acquire(store, BackupFixture.ledger, time)
                _ = try BackupLease.acquire(store, BackupFixture.ledger, time)
            }, on: memory)
    }

    @Test func `after a crash the lock is free at once`() async throws {
        let memory = memory
        try await check(
            { store, time in
                let held = try BackupLease.acquire(store, BackupFixture.ledger, time)
                var random = SeededRandom(seed: 1)
                memory.crash(&random)
                let next = try BackupLease.acquire(store, BackupFixture.ledger, time)
                next.release()
                held.release()
            }, on: memory)
    }

    @Test func `a heartbeat that stopped is taken over after five minutes, not before`()
        async throws
    {
        try await check(
            { store, time in
                let ledger = BackupFixture.ledger
                // What a killed process leaves behind.
                let dead = BackupHolder(
                    host: "gone", process: 7, attempt: 1, started: time.wall(), renewed: time.wall()
                )
                try store.put(Layout.backupLease(ledger), JSONDocument.encode(dead), .create)
                time.advance(299)
                #expect(throws: TidemarkError.self) {
                    try BackupLease.acquire(store, ledger, time)
                }
                time.advance(2)
                let lease = try BackupLease.acquire(store, ledger, time)
                #expect(lease.abandonedAfterSeconds == 3600)
                lease.release()
            }, on: PlainStore(memory))
    }

    @Test func `on a real file repository a second process would be refused`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let store = try LocalStore(path: scratch.path + "/archive", createRoot: true)
            let time = SimulatedTime()
            let lease = try BackupLease.acquire(store, BackupFixture.ledger, time)
            let error = #expect(throws: TidemarkError.self) {
                try BackupLease.acquire(store, BackupFixture.ledger, time)
            }
            #expect(error?.message.contains("by process") == true)
            #expect(lease.abandonedAfterSeconds == 0)
            lease.release()
            let next = try BackupLease.acquire(store, BackupFixture.ledger, time)
            next.release()
            #expect(try store.list("").isEmpty)
        }
    }
}
