import Daemon
import Model
import Monitoring

/// How `find` shows its document to people.
enum FindView {
    static func text(_ document: FoundDocument) -> String {
        var table = Table(
            ("EVENT", .left), ("SOURCE", .left), ("TIME", .left), ("WHAT", .left),
            ("JUST BEFORE", .left))
        for event in document.events {
            let place = event.place.isEmpty ? "" : " in \(event.place)"
            table.add(
                event.id, event.source.name, event.time?.time.description ?? "not known",
                event.action + place, event.before)
        }
        return table.isEmpty ? "nothing destructive was found\n" : table.text()
    }
}
