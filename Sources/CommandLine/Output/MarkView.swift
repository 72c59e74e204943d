import Daemon
import Model
import Monitoring

/// How `mark` shows the point it has made in one source.
struct MarkView: Encodable {
    var source: SourceID
    var point: ListedPoint

    static func text(_ views: [MarkView]) -> String {
        var table = Table(
            ("SOURCE", .left), ("RESTORE POINT", .left), ("TIMELINE", .right), ("POSITION", .left),
            ("TIME", .left))
        for view in views {
            table.add(
                view.source.name, view.point.name, view.point.timeline.name, view.point.position,
                view.point.time.time.description)
        }
        return table.text()
    }
}
