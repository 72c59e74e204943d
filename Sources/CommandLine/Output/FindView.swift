import Daemon
import Model
import Monitoring

/// How `find` shows its document to people.
enum FindView {
    /// - Parameter isNarrowed: not all that the archive has was asked for.
    static func text(_ document: FoundDocument, isNarrowed: Bool = false) -> String {
        var table = Table(
            ("EVENT", .left), ("SOURCE", .left), ("TIME", .left), ("WHAT", .left),
            ("JUST BEFORE", .left))
        for event in document.events {
            let place = event.place.isEmpty ? "" : " in \(event.place)"
            table.add(
                event.id, event.source.name, event.time?.time.description ?? "not known",
                event.action + place, event.before)
        }
        guard table.isEmpty else { return table.text() }
        return isNarrowed
            ? "nothing destructive was found that --around and --match let through; without them "
                + "all is listed\n"
            : "nothing destructive was found\n"
    }
}
