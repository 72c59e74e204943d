/// A base backup being read from a source, pulled by one thread.
package protocol BaseBackupSource: AnyObject {
    /// Connects, asks for the backup, and waits for its start.
    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart
    /// Hands the next piece to `sink`; nil while more follows.
    func pull(into sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd?
    func close()
}

/// What is known when a base backup starts.
package struct BaseBackupStart: Sendable {
    package var descriptor: SourceDescriptor
    package var timeline: TimelineID
    package var start: UInt64
    package var server: ServerFacts
    /// Path and content of configuration files outside the data directory.
    package var configuration: [(path: String, content: [UInt8])]
    /// The server's estimate of the content; 0 when unknown.
    package var estimatedBytes: UInt64

    package init(
        descriptor: SourceDescriptor, timeline: TimelineID, start: UInt64, server: ServerFacts,
        configuration: [(path: String, content: [UInt8])], estimatedBytes: UInt64
    ) {
        self.descriptor = descriptor
        self.timeline = timeline
        self.start = start
        self.server = server
        self.configuration = configuration
        self.estimatedBytes = estimatedBytes
    }
}

/// A new file of a base backup; its content follows until the next one.
package struct BaseBackupFile: Sendable {
    /// Plain name, without compression suffix: `base.tar`, `16385.tar`, `backup_manifest`.
    package var name: String
    package var role: StoredFile.Role
    /// Tablespace oid; nil for the data directory.
    package var origin: String?
    /// Where the tablespace lies on the source.
    package var location: String?

    package init(name: String, role: StoredFile.Role, origin: String?, location: String?) {
        self.name = name
        self.role = role
        self.origin = origin
        self.location = location
    }
}

/// Takes what a base backup delivers, in the order the server sends it.
package protocol BaseBackupSink: AnyObject {
    func begin(_ file: BaseBackupFile) throws(TidemarkError)
    /// Content of the file begun last; lent for the call only.
    func append(_ bytes: RawSpan) throws(TidemarkError)
}

/// What is known at the end of a base backup.
package struct BaseBackupEnd: Sendable {
    /// Consistent from here on.
    package var position: UInt64
    /// What was found wrong (failed page checksums), one sentence each.
    package var warnings: [String]
    /// What the source said besides, worth a line now and of no use later.
    package var remarks: [String]

    package init(position: UInt64, warnings: [String], remarks: [String] = []) {
        self.position = position
        self.warnings = warnings
        self.remarks = remarks
    }
}
