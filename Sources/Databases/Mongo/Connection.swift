import CMongoC
import Model

/// A client of libmongoc: connects when first asked, to whatever member the question needs.
///
/// Owned by one thread at a time. Every wait has a limit. Raw commands only: replies are taken
/// apart here, which costs a third of what libmongoc's cursors do.
@safe
final class Connection {
    let configuration: MongoConfiguration
    let client: OpaquePointer
    /// What the last search for a member to read passed over.
    var passedOver: [PassedMember] = []

    /// Whom a command goes to.
    enum Member: Hashable, Sendable {
        case primary
        /// Any, a secondary if there is one: reads cost the primary nothing then.
        case anyMember
        /// The one that a cursor lives on.
        case server(UInt32)
        /// Through this router, of all shards the primaries.
        case primaries(UInt32)

        fileprivate var preference: mongoc_read_mode_t {
            switch self {
            case .primary, .primaries: MONGOC_READ_PRIMARY
            case .anyMember, .server: MONGOC_READ_SECONDARY_PREFERRED
            }
        }
    }

    init(_ configuration: MongoConfiguration) throws(TidemarkError) {
        self.configuration = configuration
        let uri = try unsafe configuration.uri()
        defer { unsafe mongoc_uri_destroy(uri) }
        var failure = bson_error_t()
        guard let client = unsafe mongoc_client_new_from_uri_with_error(uri, &failure) else {
            throw TidemarkError(
                .configuration, "\(configuration): \(failure.text)",
                remedy: "correct the options in the source's url")
        }
        unsafe self.client = client
        _ = unsafe mongoc_client_set_error_api(client, 2)
        _ = unsafe mongoc_client_set_appname(client, configuration.clientName)
    }

    deinit { unsafe mongoc_client_destroy(client) }

    /// The member that questions to `member` go to now; cursors stay there.
    func select(_ member: Member) throws(TidemarkError) -> UInt32 {
        switch member {
        case .server(let id), .primaries(let id): return id
        case .primary, .anyMember: break
        }
        let preference = unsafe mongoc_read_prefs_new(member.preference)
        defer { unsafe mongoc_read_prefs_destroy(preference) }
        var failure = bson_error_t()
        let server = unsafe mongoc_client_select_server(
            client, member == .primary, member == .primary ? nil : preference, &failure)
        guard let server = unsafe server else {
            let told = ConnectionFailure(failure, .empty)
            if told.domain == .selection, let why = DirectQuestion.explain(configuration) {
                throw why
            }
            throw told.error(configuration, command: "hello")
        }
        defer { unsafe mongoc_server_description_destroy(server) }
        return unsafe mongoc_server_description_id(server)
    }

    /// The address of a member that was selected.
    func address(_ server: UInt32) -> String {
        let found = unsafe mongoc_client_get_server_description(client, server)
        guard let found = unsafe found else { return "" }
        defer { unsafe mongoc_server_description_destroy(found) }
        return unsafe Self.address(found)
    }

    /// The member at this address, which another connection has selected.
    func select(address: String) throws(TidemarkError) -> UInt32 {
        _ = try select(.anyMember)
        var count = 0
        let found = unsafe mongoc_client_get_server_descriptions(client, &count)
        defer { unsafe mongoc_server_descriptions_destroy_all(found, count) }
        for place in 0..<count {
            guard let server = unsafe found?[place], unsafe Self.address(server) == address else {
                continue
            }
            return unsafe mongoc_server_description_id(server)
        }
        throw TidemarkError(
            .sourceUnreachable, "\(address) is no longer a member of \(configuration.place)",
            remedy: "Tidemark tries again by itself, with another member")
    }

    /// Whom the deployment has, as it was seen last; without those that did not answer.
    func members() -> SetMembers {
        var count = 0
        let found = unsafe mongoc_client_get_server_descriptions(client, &count)
        defer { unsafe mongoc_server_descriptions_destroy_all(found, count) }
        var members = SetMembers(isDirect: configuration.isDirect)
        var known: Set<String> = []
        var hosts: [String] = []
        for place in 0..<count {
            guard let server = unsafe found?[place],
                let type = unsafe mongoc_server_description_type(server)
            else { continue }
            let id = unsafe mongoc_server_description_id(server)
            known.insert(unsafe Self.address(server))
            switch unsafe String(cString: type) {
            case "RSPrimary":
                members.primary = .server(id)
                hosts = unsafe Self.hosts(server)
            case "RSSecondary":
                members.secondaries.append(.server(id))
                if members.primary == nil { hosts = unsafe Self.hosts(server) }
            case "Mongos": members.routers.append(.server(id))
            default: continue
            }
        }
        // libmongoc leaves out those that did not answer.
        if !configuration.isDirect { members.silent = hosts.filter { !known.contains($0) } }
        return members
    }

    /// Whom this member's set consists of, as it told: libmongoc knows them in lower case.
    private static func hosts(_ server: OpaquePointer) -> [String] {
        guard let told = unsafe mongoc_server_description_hello_response(server) else { return [] }
        return Hello(unsafe CDocument.copy(told)).hosts.map { $0.lowercased() }
    }

    private static func address(_ server: OpaquePointer) -> String {
        guard let host = unsafe mongoc_server_description_host(server) else { return "" }
        return unsafe withUnsafeBytes(of: host.pointee.host_and_port) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The answer to a command; an error answer is thrown.
    func run(
        _ command: BSONDocument, on database: String = "admin", at member: Member = .anyMember
    ) throws(TidemarkError) -> BSONDocument {
        switch try answer(command, on: database, at: member) {
        case .success(let reply): return reply
        case .failure(let failure):
            throw failure.error(configuration, command: command.firstName ?? "")
        }
    }

    /// The answer to a command, an error answer included.
    func answer(
        _ command: BSONDocument, on database: String = "admin", at member: Member = .anyMember
    ) throws(TidemarkError) -> Result<BSONDocument, ConnectionFailure> {
        try lend(command, on: database, at: member) { result throws(TidemarkError) in
            switch result {
            case .success(let bytes):
                return .success(BSONDocument(sound: unsafe Array(bytes.bytes)))
            case .failure(let failure): return .failure(failure)
            }
        }
    }

    /// The answer, lent as libmongoc holds it: for batches of many megabytes.
    func lend<R>(
        _ command: BSONDocument, on database: String, at member: Member,
        _ body: (Result<Lent, ConnectionFailure>) throws(TidemarkError) -> R
    ) throws(TidemarkError) -> R {
        let server = try select(member)
        guard let reply = unsafe bson_new() else { preconditionFailure("there is memory") }
        // libmongoc makes the reply anew in place.
        defer { unsafe bson_destroy(reply) }
        var failure = bson_error_t()
        let preference = unsafe mongoc_read_prefs_new(member.preference)
        defer { unsafe mongoc_read_prefs_destroy(preference) }
        let isDone = unsafe CDocument.with(command) { bson in
            unsafe mongoc_client_command_simple_with_server_id(
                client, database, bson, preference, server, reply, &failure)
        }
        let content = unsafe Lent(reply)
        guard isDone else {
            let told = BSONDocument(sound: unsafe Array(content.bytes))
            return try body(.failure(ConnectionFailure(failure, told)))
        }
        return try body(.success(content))
    }

    /// A reply as long as the call lasts.
    @safe
    struct Lent {
        let bytes: UnsafeBufferPointer<UInt8>

        init(_ bson: OpaquePointer) {
            guard let data = unsafe bson_get_data(bson) else {
                preconditionFailure("a libbson document has bytes")
            }
            let head = unsafe UnsafeBufferPointer(start: data, count: 4)
            let length =
                unsafe Int(head[0]) | Int(head[1]) << 8 | Int(head[2]) << 16 | Int(head[3]) << 24
            unsafe bytes = unsafe UnsafeBufferPointer(start: data, count: length)
        }
    }
}
