@testable import Postgres
import Testing

@Suite struct `A tablespace map` {
    @Test func `keeps newlines and backslashes of a path`() {
        let map = TablespaceMap([
            .init(oid: "16385", path: "/mnt/a \\ b\nc"), .init(oid: "16386", path: "/mnt/d"),
        ])
        #expect(
            String(decoding: map.bytes, as: UTF8.self)
                == "16385 /mnt/a \\\\ b\\\nc\n16386 /mnt/d\n")
        #expect(TablespaceMap(parsing: map.bytes) == map)
    }
}
