import Model
import Storage
import TestKit
import Testing

/// The one contract, on every store there is.
@Suite struct ContractTests {
    @Test(arguments: ObjectStoreContract.checks)
    func `the local store keeps the contract`(_ check: ObjectStoreContract) async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            try check.run(LocalStore(path: scratch.path, createRoot: false))
        }
    }

    /// On tmpfs, which has no O_DIRECT on older kernels.
    @Test(arguments: ObjectStoreContract.checks)
    func `the local store keeps the contract in shared memory`(
        _ check: ObjectStoreContract
    ) async throws {
        try await offPool {
            let scratch = try ScratchDirectory(in: "/dev/shm")
            try check.run(LocalStore(path: scratch.path, createRoot: false))
        }
    }

    @Test(arguments: ObjectStoreContract.checks)
    func `the store in memory keeps the contract`(_ check: ObjectStoreContract) async throws {
        try await offPool { try check.run(MemoryStore()) }
    }

    @Test(arguments: ObjectStoreContract.checks)
    func `the faulty store without faults keeps the contract`(
        _ check: ObjectStoreContract
    ) async throws {
        try await offPool { try check.run(FaultyStore(MemoryStore())) }
    }

    @Test func `the local store can append`() throws {
        let scratch = try ScratchDirectory()
        #expect(try LocalStore(path: scratch.path, createRoot: false).appending != nil)
        #expect(FaultyStore(MemoryStore()).appending != nil)
    }
}
