import Model
import Monitoring

/// How `backup` shows a base backup it has taken.
struct BackupView: Encodable {
    var source: SourceID
    var id: String
    var finished: Millis
    var bytes: UInt64
    var storedBytes: UInt64
    var warnings: [String]

    init(_ backup: BaseBackupDescriptor) {
        source = backup.source
        id = backup.id
        finished = Millis(backup.finished)
        bytes = backup.bytes
        storedBytes = backup.storedBytes
        warnings = backup.warnings
    }

    enum CodingKeys: String, CodingKey {
        case source, id, finished, bytes, warnings
        case storedBytes = "stored_bytes"
    }

    static func text(_ backups: [BaseBackupDescriptor]) -> String {
        var table = Table(
            ("SOURCE", .left), ("BACKUP", .left), ("SIZE", .right), ("STORED", .right),
            ("TOOK", .right))
        for backup in backups {
            table.add(
                backup.source.name, backup.id, "\(ByteCount(backup.bytes))",
                "\(ByteCount(backup.storedBytes))",
                ProgressMeter.time(backup.finished.seconds(since: backup.started)))
        }
        let warnings = backups.flatMap(\.warnings).map { "warning: \($0)\n" }
        return table.text() + warnings.joined()
    }
}
