import Model
import Platform

/// Reads the parts of a base backup side by side, each reader on a thread and a connection of its
/// own, and hands their documents on in order.
///
/// All read from one member: another may lag behind the moment where the base backup begins.
final class ParallelReader: Sendable {
    private struct State: Sendable {
        var schedule: ReadSchedule
        var shared: CollectionReader.Shared
    }

    private let state: Monitor<State>

    /// A server answers that many at once without its other clients noticing much.
    private static let width = 4
    /// Bytes of documents that wait to be handed on, besides one answer in the hands of each
    /// reader.
    private static let byteLimit = 32 << 20
    /// Parts that may be begun ahead: of small collections many wait.
    private static let partLimit = 64

    /// - Parameters:
    ///   - address: of the member.
    ///   - moment: see `CollectionReader.Shared`.
    init(
        _ configuration: MongoConfiguration, address: String, parts: [ReadPart], moment: OpTime?
    ) {
        let state = Monitor(
            State(
                schedule: ReadSchedule(
                    parts: parts.count, byteLimit: Self.byteLimit, partLimit: Self.partLimit),
                shared: CollectionReader.Shared(moment: moment)))
        self.state = state
        for number in 0..<min(Self.width, parts.count) {
            // It ends with the last part or with `stop`; its failure is in the schedule.
            _ = DedicatedThread("base-\(number)") { () throws(TidemarkError) in
                do throws(TidemarkError) {
                    try Self.work(configuration, address, parts, state)
                } catch {
                    state.update { $0.schedule.fail(error) }
                }
            }
        }
    }

    deinit { stop() }

    /// Readers end with the answer that they wait for.
    func stop() { state.update { $0.schedule.stop() } }

    /// As the readers have left it.
    var shared: CollectionReader.Shared { state.read { $0.shared } }

    /// Waits for the next piece.
    func next() throws(TidemarkError) -> ReadSchedule.Piece {
        let next = state.wait { state -> Result<ReadSchedule.Piece, TidemarkError>? in
            if let failure = state.schedule.failure { return .failure(failure) }
            return state.schedule.take().map { .success($0) }
        }
        guard let next else {
            preconditionFailure("a wait without limit ended without a result")
        }
        return try next.get()
    }

    private static func work(
        _ configuration: MongoConfiguration, _ address: String, _ parts: [ReadPart],
        _ state: Monitor<State>
    ) throws(TidemarkError) {
        let connection = try Connection(configuration)
        let member = Connection.Member.server(try connection.select(address: address))
        while case .part(let number) = state.wait({ $0.schedule.begin() }) {
            let reader = CollectionReader(
                connection: connection, member: member, part: parts[number]
            ) { change in
                state.update { state in
                    change(&state.shared)
                    return state.shared
                }
            }
            try reader.run { (documents) throws(TidemarkError) in
                state.wait { $0.schedule.put(documents, of: number) } ?? false
            }
            state.update { $0.schedule.end(number) }
        }
    }
}
