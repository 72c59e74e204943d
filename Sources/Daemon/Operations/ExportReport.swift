package import Model
import Recovery

/// `export --json`: what was written.
package struct ExportReport: Sendable, Encodable {
    package var name: SourceID
    package var kind: String
    package var timeline: TimelineID
    /// The stretch, in the database's own notation: from here …
    package var from: String
    /// … up to here.
    package var to: String
    /// The base backup whose files came along; nil with `--from`.
    package var backup: String?
    /// Absolute paths.
    package var files: [String]
    package var bytes: UInt64

    init(_ outcome: ExportOutcome, _ style: any PositionStyle) {
        name = outcome.descriptor.source
        kind = outcome.descriptor.kind.rawValue
        timeline = outcome.timeline
        from = style.text(outcome.first)
        to = style.text(outcome.last)
        backup = outcome.backup
        files = outcome.files
        bytes = outcome.bytes
    }
}
