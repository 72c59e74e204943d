import Model
import Platform

@testable import Mongo

/// A base backup from its beginning to its end: what it brought.
struct BaseBackupRun {
    let start: UInt64
    let end: UInt64
    /// Bytes by file name.
    let files: [String: [UInt8]]
    let warnings: [String]
    let estimatedBytes: UInt64

    /// - Parameter meanwhile: done once the first file has begun.
    @discardableResult
    init(
        _ url: String, _ meanwhile: @escaping () throws(TidemarkError) -> Void = {}
    ) throws(TidemarkError) {
        guard let source = SourceID("lessons") else { preconditionFailure("a name") }
        let configuration = try MongoConfiguration(source: source, url: url)
        let base = MongoRoom(configuration, time: SystemTimeSource()).baseBackup()
        defer { base.close() }
        let begun = try base.begin(label: "test", fast: true)
        let sink = Sink(meanwhile)
        while true {
            guard let end = try base.pull(into: sink) else { continue }
            start = begun.start
            self.end = end.position
            files = sink.files
            warnings = end.warnings
            estimatedBytes = begun.estimatedBytes
            return
        }
    }

    /// Keeps the documents of each file, and does something once the first has begun.
    private final class Sink: BaseBackupSink {
        var files: [String: [UInt8]] = [:]
        private var current = ""
        private var meanwhile: (() throws(TidemarkError) -> Void)?

        init(_ meanwhile: @escaping () throws(TidemarkError) -> Void) { self.meanwhile = meanwhile }

        func begin(_ file: BaseBackupFile) throws(TidemarkError) {
            current = file.name
            files[current] = []
            try meanwhile?()
            meanwhile = nil
        }

        func append(_ bytes: RawSpan) throws(TidemarkError) {
            bytes.withUnsafeBytes { files[current]?.append(contentsOf: $0) }
        }
    }
}
