package import Model
package import Mongo
package import Platform
import Glibc

/// A single-node replica set on loopback that serves recorded entries and documents of a real
/// server, with faults on demand.
///
/// It answers exactly the commands that archiving and restoring ask, and everything else with
/// CommandNotFound. Its collections can be written to, so that it is a restore's target as well,
/// and what it was asked is kept (`MongoDoubleRecord`). It never invents entries: what it serves
/// was recorded, except for the notes that `appendOplogNote` asks for, whose shape is the recorded
/// one; writes make none. Stopped when the object goes.
package final class MongoDouble: Sendable {
    package let port: Int
    package let state: Monitor<MongoDoubleState>
    private let listener: Int32
    private let accepting: Monitor<DedicatedThread<Void>?>

    package init(entries: [[UInt8]] = [], visible: Int = .max) throws(TidemarkError) {
        port = try freePort()
        var made = MongoDoubleState(port: port)
        for bytes in entries { made.add(bytes) }
        made.visible = min(visible, made.entries.count)
        state = Monitor(made)
        listener = try Self.listen(port)
        accepting = Monitor(nil)
        let (listener, state) = (listener, state)
        let thread = DedicatedThread("double-accept") { () throws(TidemarkError) in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                state.update { _ = $0.sockets.insert(socket) }
                // Ends with its socket.
                _ = DedicatedThread("double-serve") { () throws(TidemarkError) in
                    MongoDoubleSession(socket, state).run()
                }
            }
        }
        accepting.update { $0 = thread }
    }

    deinit { stop() }

    /// Closes everything, as a server that goes down.
    package func stop() {
        guard
            let thread = accepting.update({ thread in
                defer { thread = nil }
                return thread
            })
        else { return }
        // Once only: afterwards the number may be another double's.
        shutdown(listener, Int32(SHUT_RDWR))
        cutConnections()
        try? thread.join()
        close(listener)
    }

    package var url: String { "mongodb://127.0.0.1:\(port)/?replicaSet=rs0" }

    private static func listen(_ port: Int) throws(TidemarkError) -> Int32 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard socket >= 0, isBound, Glibc.listen(socket, 16) == 0 else {
            throw TidemarkError(.failed, "the MongoDB double cannot listen on \(port)")
        }
        return socket
    }

    /// Makes one set of these, with the same content; the first is its primary.
    package static func join(_ members: [MongoDouble]) {
        let ports = members.map(\.port)
        for member in members {
            member.state.update { state in
                state.others = ports.filter { $0 != state.port }
                state.isPrimary = state.port == ports[0]
                state.primary = ports[0]
            }
        }
    }

    // MARK: what happens at the source

    /// Serves recorded events beside the entries.
    package func tell(_ events: [[UInt8]]) {
        state.update { state in
            var time = OpTime.zero
            state.events = events.map { bytes in
                // Later parts of an event that was split have none of their own.
                time = (try? BSONDocument(bytes))?["clusterTime"]?.timestamp ?? time
                return MongoDoubleState.Entry(ts: time, bytes: bytes)
            }
        }
    }

    /// Lets so many more of the entries be seen.
    package func write(_ count: Int) {
        state.update { $0.visible = min($0.visible + count, $0.entries.count) }
    }

    /// Writes a transaction: one entry, and of a change stream so many events.
    ///
    /// - Parameter content: of each event, random or it is compressed away.
    package func transaction(_ count: Int, content: (Int) -> [UInt8]) {
        let written = state.update { state -> OpTime in
            let newest = state.entries[state.entries.count - 1].ts
            let ts = OpTime(seconds: newest.seconds + 1, increment: 1)
            let entry = BSONDocument([
                ("op", .string("n")), ("ns", .string("")), ("o", .document(.empty)),
                ("ts", .timestamp(ts)), ("t", .int64(1)),
                ("wall", .date(milliseconds: Int64(ts.seconds) * 1000)), ("v", .int64(2)),
            ])
            state.add(entry.bytes)
            return ts
        }
        let place = BSONDocument([("db", .string("school")), ("coll", .string("large"))])
        let token = ResumeTokenText.token(written)["_data"]?.string ?? ""
        let events = (0..<count).map { number in
            let key = BSONDocument([("_id", .int32(Int32(number)))])
            let document = key.setting("content", .binary(content(number)))
            let text = "\(token)\(String(1000 + number, radix: 16, uppercase: true))"
            return MongoDoubleState.Entry(
                ts: written,
                bytes: BSONDocument([
                    ("_id", .document(BSONDocument([("_data", .string(text))]))),
                    ("operationType", .string("insert")), ("clusterTime", .timestamp(written)),
                    ("fullDocument", .document(document)), ("ns", .document(place)),
                    ("documentKey", .document(key)), ("txnNumber", .int64(1)),
                ]).bytes)
        }
        state.update { state in
            state.events += events
            state.visible = state.entries.count
        }
    }

    /// Everything that was recorded has been written.
    package func writeAll() { write(Int.max / 2) }

    /// Drops the oldest entries, as a full oplog does.
    package func truncate(keepingFrom index: Int) {
        state.update { state in
            state.first = max(state.first, index)
            // Cursors that stand before it have lost their place.
            for (id, cursor) in state.cursors {
                if case .oplog(let next, _) = cursor, next < index { state.lost.insert(id) }
            }
        }
    }

    /// Takes the newest entries back and puts others in their place: a rollback.
    package func rollBack(to count: Int, then others: [[UInt8]]) {
        state.update { state in
            state.entries.removeLast(state.entries.count - count)
            for bytes in others { state.add(bytes) }
            state.visible = state.entries.count
            state.cursors = [:]
        }
        cutConnections()
    }

    /// Has these collections, as mongodump wrote them.
    package func take(
        _ base: [(namespace: Namespace, metadata: BSONDocument, documents: [BSONDocument])]
    ) {
        state.update { state in
            for (namespace, metadata, documents) in base {
                var stored = MongoDoubleState.Stored()
                stored.type = metadata["type"]?.string ?? "collection"
                stored.options = metadata["options"]?.document ?? .empty
                stored.indexes = (metadata["indexes"]?.elements ?? []).compactMap(\.document)
                stored.uuid = metadata["uuid"]?.string.flatMap { CollectionUUID(hex: $0) }
                stored.documents = documents
                state.collections[namespace] = stored
            }
        }
    }

    /// Has the collections that another one has.
    package func take(over other: MongoDouble) {
        let content = other.state.read { $0.collections }
        state.update { $0.collections = content }
    }

    package func killCursors() { state.update { $0.cursors = [:] } }

    package func cutConnections() {
        state.update { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }
}
