@testable import Postgres
import Testing

@Suite struct `Postgres's backup manifest` {
    @Test func `tells size and checksum of each file`() {
        let text = """
            { "PostgreSQL-Backup-Manifest-Version": 1,
            "Files": [
            { "Path": "backup_label", "Size": 227, "Last-Modified": "2026-11-24 05:49:42 GMT", \
            "Checksum-Algorithm": "CRC32C", "Checksum": "04030201" },
            { "Encoded-Path": "612f62", "Size": 5, "Last-Modified": "x" }
            ],
            "WAL-Ranges": [
            { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
            ],
            """
        let manifest = BackupManifest(Array(text.utf8))
        #expect(manifest.entries.count == 2)
        #expect(manifest.entries["backup_label"] == .init(bytes: 227, crc32c: 0x0102_0304))
        #expect(manifest.entries["a/b"] == .init(bytes: 5, crc32c: nil))
    }
}
