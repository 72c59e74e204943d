import CMongoC
package import Model

/// How to reach one MongoDB, and who we are there.
///
/// The URL is libmongoc's (`mongodb://`, `mongodb+srv://`), with all of its options. A set is
/// named by `replicaSet=`; a single address without it is talked to directly, whatever it is.
package struct MongoConfiguration: Sendable {
    package let source: SourceID
    /// Holds the password.
    private let url: String
    /// `db1:27017`, each; the name of a service where the URL has one.
    let places: [String]
    /// `db1:27017,db2:27017`; for messages.
    package var place: String { places.joined(separator: ",") }
    /// Empty without authentication.
    package let user: String
    /// Set when the URL names one; the server's must be the same.
    let setName: String?
    /// One address is talked to, whatever it is, and no other member is looked for.
    let isDirect: Bool

    /// What is read of the server, as `?mode=` of the URL says.
    package enum Mode: String, Sendable {
        /// The oplog where it is in reach, else change streams.
        case automatic
        case oplog
        case changeStream
    }

    package let mode: Mode

    /// Our name at the server: `currentOp` and the log show it.
    let clientName = "tidemark"
    /// Milliseconds to find a server, to connect, and to wait for an answer.
    private static let selectionTimeout: Int32 = 10_000
    private static let connectTimeout: Int32 = 10_000
    private static let socketTimeout: Int32 = 60_000

    package var kind: DatabaseKind { .mongodb }

    package init(source: SourceID, url: String) throws(TidemarkError) {
        self.source = source
        let (plain, mode) = try Self.mode(in: url, source)
        self.mode = mode
        self.url = plain
        let uri = unsafe try Self.parsed(plain, source)
        defer { unsafe mongoc_uri_destroy(uri) }
        var places: [String] = []
        var host = unsafe mongoc_uri_get_hosts(uri)
        while let this = unsafe host {
            places.append(
                unsafe withUnsafeBytes(of: this.pointee.host_and_port) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
            unsafe host = unsafe UnsafePointer(this.pointee.next)
        }
        if places.isEmpty, let service = unsafe mongoc_uri_get_srv_hostname(uri) {
            places = [unsafe String(cString: service)]
        }
        self.places = places
        user = unsafe mongoc_uri_get_username(uri).map { unsafe String(cString: $0) } ?? ""
        setName = unsafe mongoc_uri_get_replica_set(uri).map { unsafe String(cString: $0) }
        // As libmongoc has it (`mongoc_topology_new`).
        let service = unsafe mongoc_uri_get_srv_hostname(uri)
        let isService = unsafe service != nil
        let isOne = setName == nil && places.count == 1 && !isService
        isDirect = unsafe mongoc_uri_get_option_as_bool(uri, "directconnection", isOne)
    }

    /// The URL without our own option, which libmongoc would warn of.
    private static func mode(
        in url: String, _ source: SourceID
    ) throws(TidemarkError) -> (url: String, mode: Mode) {
        guard let mark = url.firstIndex(of: "?") else { return (url, .automatic) }
        var mode = Mode.automatic
        var kept: [Substring] = []
        for option in url[url.index(after: mark)...].split(separator: "&") {
            let parts = option.split(separator: "=", maxSplits: 1)
            guard parts.first?.lowercased() == "mode" else {
                kept.append(option)
                continue
            }
            let wanted = parts.count == 2 ? parts[1].lowercased() : ""
            switch wanted {
            case "oplog": mode = .oplog
            case "changestream": mode = .changeStream
            default:
                throw TidemarkError(
                    .configuration,
                    "source \(source): mode=\(wanted) in the url is none that there is",
                    remedy: "write mode=oplog or mode=changeStream, or leave it out")
            }
        }
        let rest = kept.isEmpty ? "" : "?" + kept.joined(separator: "&")
        return (url[..<mark] + rest, mode)
    }

    /// For each address of the URL one that talks to it alone, whatever set it is of, as nobody;
    /// empty for a service name.
    var directURLs: [String] {
        guard url.hasPrefix("mongodb://") else { return [] }
        let mark = url.firstIndex(of: "?") ?? url.endIndex
        let options = url[mark...].dropFirst().split(separator: "&").filter {
            let name = $0.lowercased()
            return name.hasPrefix("tls") || name.hasPrefix("ssl")
        }
        let all = (options + ["directConnection=true"]).joined(separator: "&")
        return place.split(separator: ",").map { "mongodb://\($0)/?\(all)" }
    }

    /// libmongoc's reading of the URL with our limits, where it sets none; to be destroyed.
    func uri() throws(TidemarkError) -> OpaquePointer {
        let uri = unsafe try Self.parsed(url, source)
        let limits = [
            ("serverselectiontimeoutms", Self.selectionTimeout),
            ("connecttimeoutms", Self.connectTimeout), ("sockettimeoutms", Self.socketTimeout),
        ]
        for (name, value) in limits where unsafe !mongoc_uri_has_option(uri, name) {
            _ = unsafe mongoc_uri_set_option_as_int32(uri, name, value)
        }
        return unsafe uri
    }

    private static func parsed(
        _ url: String, _ source: SourceID
    ) throws(TidemarkError) -> OpaquePointer {
        try Driver.start()
        var failure = bson_error_t()
        guard let uri = unsafe mongoc_uri_new_with_error(url, &failure) else {
            throw TidemarkError(
                .configuration, "source \(source): the url is not one that MongoDB understands",
                remedy: "write mongodb://user:password@host:27017/?replicaSet=rs0, with special "
                    + "characters of the password as %XX")
        }
        return unsafe uri
    }
}

extension MongoConfiguration: CustomStringConvertible {
    /// Never the URL: it may hold a password.
    package var description: String { "mongodb \(source) at \(place)" }
}
