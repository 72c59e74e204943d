import Catalog
import Model
import Platform
import Redis
import Repository
import TestKit
import Testing

@testable import Recovery

/// An export of everything there is, beside a sidecar that goes on archiving.
@Suite struct ExportGrowthTests {
    private static let request = ExportRequest(
        source: RedisArchive.source, start: nil, end: .latest, timeline: nil,
        destination: "/tmp/export", repositoryFolder: nil, force: false)

    /// One open segment with so many commands.
    private func archive(_ commands: Int) throws -> RedisArchive {
        let archive = try RedisArchive()
        try archive.write((0..<commands).map { 100 + Double($0) }, flushed: 10)
        return archive
    }

    private func open(_ archive: RedisArchive) throws -> (key: ObjectKey, bytes: [UInt8]) {
        let store = archive.repository.store
        let folder = Layout.streamFolder(RedisArchive.source, RedisArchive.style)
        let info = try #require(try store.list(folder).first { $0.key.name.hasSuffix(".partial") })
        let reader = try store.open(info.key, at: 0)
        defer { reader.close() }
        return (info.key, try reader.read(Int(info.size)))
    }

    @Test func `a segment that grows at any moment of it does not make it fail`() async throws {
        try await offPool {
            let whole = FaultyStore(try archive(100).repository.store)
            let plan = try ExportPlan(Self.request, ArchiveRepository(whole), RedisReplayer())
            #expect(plan.last == 100 * RedisArchive.size)
            let looks = whole.count(.open)
            try #require(looks > 3)
            let grown = try open(try archive(200))
            var ends: Set<UInt64> = []
            for look in 0..<looks {
                let archive = try archive(100)
                let store = FaultyStore(archive.repository.store)
                store.fail(.open, .hang, skipping: look)
                let thread = DedicatedThread("export") { () throws(TidemarkError) -> UInt64 in
                    let repository = ArchiveRepository(store)
                    let plan = try ExportPlan(Self.request, repository, RedisReplayer())
                    #expect(plan.chain.end.ordinal >= plan.last, "look \(look)")
                    return plan.last
                }
                #expect(store.waitUntilHanging(), "look \(look)")
                try archive.repository.store.put(grown.key, grown.bytes, .replace)
                store.heal()
                ends.insert(try thread.join() / RedisArchive.size)
            }
            #expect(ends == [100, 200], "\(ends): as far as it was, or as it is")
        }
    }
}
