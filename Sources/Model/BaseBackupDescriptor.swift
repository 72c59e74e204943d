/// The manifest of one base backup (`manifest.json`); the backup exists only once it is written.
package struct BaseBackupDescriptor: Hashable, Sendable, Codable {
    /// `YYYYMMDDTHHMMSSZ-<timeline>-<start position>`; sorts by start time.
    package var id: String
    package var source: SourceID
    package var kind: DatabaseKind
    package var timeline: TimelineID
    /// Replay starts here.
    package var start: UInt64
    /// Consistent only from here on; no recovery target below it can be reached from this backup.
    package var end: UInt64
    package var started: CommitTime
    package var finished: CommitTime
    /// Size of the content before and after compression.
    package var bytes: UInt64
    package var storedBytes: UInt64
    package var files: [StoredFile]
    /// The server as it was: version, settings recovery needs, extensions, configuration files.
    package var server: ServerFacts
    /// Problems found while taking it (failed page checksums); empty when sound.
    package var warnings: [String]

    package init(
        id: String, source: SourceID, kind: DatabaseKind, timeline: TimelineID, start: UInt64,
        end: UInt64, started: CommitTime, finished: CommitTime, bytes: UInt64, storedBytes: UInt64,
        files: [StoredFile], server: ServerFacts, warnings: [String]
    ) {
        self.id = id
        self.source = source
        self.kind = kind
        self.timeline = timeline
        self.start = start
        self.end = end
        self.started = started
        self.finished = finished
        self.bytes = bytes
        self.storedBytes = storedBytes
        self.files = files
        self.server = server
        self.warnings = warnings
    }

    enum CodingKeys: String, CodingKey {
        case id, source, kind, timeline, start, end, started, finished, bytes, files, server
        case warnings
        case storedBytes = "stored_bytes"
    }
}

/// One file of a base backup, beside its manifest.
package struct StoredFile: Hashable, Sendable, Codable {
    /// What the file is to the restore.
    package enum Role: String, Sendable, Codable {
        /// Tar of the main data directory.
        case data
        /// Tar of one tablespace.
        case tablespace
        /// Postgres's own `backup_manifest`.
        case manifest
        /// A configuration file that lies outside the data directory.
        case configuration
    }

    /// File name inside the backup's folder, `base.tar.lz4`.
    package var name: String
    package var role: Role
    /// Tablespace oid, or the path a configuration file had; nil for the data directory.
    package var origin: String?
    /// Where the tablespace lay on the source; nil for other roles.
    package var location: String?
    /// Size of the content and of the stored file.
    package var bytes: UInt64
    package var storedBytes: UInt64
    /// SHA-256 of the stored file, lower-case hex.
    package var storedSHA256: String

    package init(
        name: String, role: Role, origin: String?, location: String?, bytes: UInt64,
        storedBytes: UInt64, storedSHA256: String
    ) {
        self.name = name
        self.role = role
        self.origin = origin
        self.location = location
        self.bytes = bytes
        self.storedBytes = storedBytes
        self.storedSHA256 = storedSHA256
    }

    enum CodingKeys: String, CodingKey {
        case name, role, origin, location, bytes
        case storedBytes = "stored_bytes"
        case storedSHA256 = "stored_sha256"
    }
}

/// What must be known of the server that a backup came from.
package struct ServerFacts: Hashable, Sendable, Codable {
    /// System identifier, replica set id, run id.
    package var identity: String
    /// `150020` for Postgres; text for the others.
    package var version: String
    /// Settings that recovery or a faithful restart needs, by name.
    package var settings: [String: String]
    /// `database/extension` to version.
    package var extensions: [String: String]

    package init(
        identity: String, version: String, settings: [String: String] = [:],
        extensions: [String: String] = [:]
    ) {
        self.identity = identity
        self.version = version
        self.settings = settings
        self.extensions = extensions
    }
}
