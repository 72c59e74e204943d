import Model
import Recovery
import Repository
import TestKit
import Testing

/// Every plan reads the ends of the segments that it needs, whatever the database.
struct CutSegmentTests {
    @Test(arguments: [1, 40, .max])
    func `a needed segment that was cut short is named by the plan`(cut: Int) throws {
        let archive = try RedisArchive()
        try archive.write((0..<100).map { 100 + Double($0) }, bytes: RedisArchive.size * 10)
        let store = try #require(archive.repository.store as? MemoryStore)
        let sealed = try store.list(Layout.streamFolder(RedisArchive.source, RedisArchive.style))
            .map(\.key).filter { $0.name.hasSuffix(".lz4") }.sorted { $0.path < $1.path }
        try #require(sealed.count > 6)
        let before = RecoveryTarget.position(
            scheme: "offset", text: "aaaa:\(RedisArchive.size * 35)")
        _ = try archive.plan(.latest)
        _ = try archive.plan(before)
        store.corrupt(sealed[4]) { $0.removeLast(min(cut, $0.count)) }
        let error = #expect(throws: TidemarkError.self) { try archive.plan(.latest) }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message.contains(sealed[4].path) == true)
        #expect(error?.remedy.contains("`tidemark list`") == true)
        // What does not need it is not kept from being restored.
        _ = try archive.plan(before)
    }
}
