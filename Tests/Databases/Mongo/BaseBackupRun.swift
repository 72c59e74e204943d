import Model
import Platform

@testable import Mongo

/// A base backup from its beginning to its end: what it brought.
struct BaseBackupRun {
    let start: UInt64
    /// Where everything is of one moment; a test may say another of what was recorded.
    var end: UInt64
    /// Bytes by file name.
    let files: [String: [UInt8]]
    /// In the order in which they came.
    let begun: [BaseBackupFile]
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
            self.begun = sink.begun
            warnings = end.warnings
            estimatedBytes = begun.estimatedBytes
            return
        }
    }

    /// Keeps the documents of each file, and does something once the first has begun.
    private final class Sink: BaseBackupSink {
        var files: [String: [UInt8]] = [:]
        var begun: [BaseBackupFile] = []
        private var current = ""
        private var meanwhile: (() throws(TidemarkError) -> Void)?

        init(_ meanwhile: @escaping () throws(TidemarkError) -> Void) { self.meanwhile = meanwhile }

        func begin(_ file: BaseBackupFile) throws(TidemarkError) {
            current = file.name
            begun.append(file)
            files[current] = []
            try meanwhile?()
            meanwhile = nil
        }

        func append(_ bytes: RawSpan) throws(TidemarkError) {
            bytes.withUnsafeBytes { files[current]?.append(contentsOf: $0) }
        }
    }
}
