import Model
@testable import Postgres
import Testing

/// Plays a server against the stream's machine: every command must be the expected one.
struct StreamScript {
    var machine: StreamMachine
    private(set) var action: StreamMachine.Action?

    static let source = SourceID("ledger")!
    static let context = ConnectionFailure.Context(
        place: "db:5432", user: "tidemark", database: "postgres", slot: "tidemark_ledger",
        isReplication: true)

    init(_ resume: ResumePoint = ResumePoint(descriptor: nil, end: nil), version: Int = 150_020)
        throws
    {
        machine = StreamMachine(resume, Self.context, source: Self.source)
        action = try machine.begin(version: version)
    }

    /// An archive of this cluster that ends here.
    static func archive(
        _ timeline: UInt32, _ end: UInt64, others: [Position] = [], skips: Bool = false
    ) -> ResumePoint {
        ResumePoint(
            descriptor: SourceDescriptor(
                source: source, kind: .postgres, identity: "77", majorVersion: "15",
                segmentBytes: 16 << 20, created: CommitTime(microseconds: 0)),
            end: Position(timeline: TimelineID(postgres: timeline), ordinal: end), others: others,
            skipsLostHistory: skips)
    }

    /// The last action must be this command; the server answers with these rows.
    mutating func answer(_ command: String, _ rows: [[String?]]) throws {
        try expect(command)
        action = try machine.handle([.rows(ConnectionRows(rows)), .done("")])
    }

    mutating func refuse(
        _ command: String, _ state: String, _ message: String = "no", detail: String = ""
    ) throws {
        try expect(command)
        action = try machine.handle([
            .failed(ConnectionFailure(state: state, message: message, detail: detail))
        ])
    }

    /// The stream that was started ends before its first message.
    mutating func refuse(stream state: String) throws {
        try #require(action == .stream)
        action = try machine.handle([
            .failed(ConnectionFailure(state: state, message: "no", detail: ""))
        ])
    }

    mutating func reply(_ command: String, _ replies: [ConnectionReply]) throws {
        try expect(command)
        action = try machine.handle(replies)
    }

    private func expect(_ command: String) throws {
        switch action {
        case .ask(let text), .askSQL(let text): try #require(text.hasPrefix(command), "\(text)")
        default: Issue.record("\(command) was expected, not \(String(describing: action))")
        }
    }

    /// The server as far as the slot: cluster 77, a primary with segments of 16 MiB.
    mutating func introduce(_ timeline: UInt32 = 1, end: String = "0/9000000") throws {
        try answer("IDENTIFY_SYSTEM", [["77", "\(timeline)", end, nil]])
        try answer("SHOW in_hot_standby", [["off"]])
        try answer("SHOW wal_segment_size", [["16MB"]])
    }

    mutating func slot(_ restart: String?, timeline: String? = "1") throws {
        try answer(
            "READ_REPLICATION_SLOT \"tidemark_ledger\"", [["physical", restart, timeline]])
    }

    static let history3 = "1\t0/5000100\tno recovery target specified\n\n2\t0/7000200\tbefore x\n"
}
