import Model
import Mongo
import Platform

// The writing half, definitions: what makes, changes and drops collections, views and indexes.
// Options are kept as they were sent. Like writes, nothing of it comes into the oplog.
extension MongoDoubleAnswers {
    func define(_ database: String, _ request: BSONDocument) -> BSONDocument {
        state.update { state in
            do throws(MongoDoubleState.Failure) {
                guard state.isPrimary else { throw MongoDoubleState.Failure.notPrimary }
                return ok(try MongoDoubleDefinition(database, request).run(&state))
            } catch {
                return self.error(error.code, error.name, error.message)
            }
        }
    }
}

struct MongoDoubleDefinition {
    typealias Failure = MongoDoubleState.Failure
    typealias Answer = [(String, BSONValue)]

    private let name: String
    private let request: BSONDocument
    /// What the command is about.
    private let place: Namespace
    /// All fields of its own.
    private let arguments: BSONDocument

    /// Fields that any command may have.
    private static let general: Set<String> = [
        "$db", "lsid", "txnNumber", "$clusterTime", "$readPreference", "readConcern",
        "writeConcern", "comment", "maxTimeMS",
    ]

    init(_ database: String, _ request: BSONDocument) {
        name = request.firstName ?? ""
        self.request = request
        place = Namespace(database, request[name]?.string ?? "")
        arguments = request.without(Self.general.union([name]))
    }

    func run(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        switch name {
        case "create": try create(&state)
        case "drop": try drop(&state)
        case "dropDatabase": dropDatabase(&state)
        case "createIndexes": try createIndexes(&state)
        case "dropIndexes": try dropIndexes(&state)
        case "collMod": try modify(&state)
        default: try rename(&state)
        }
    }

    private func missing(_ place: Namespace) -> Failure {
        Failure(26, "NamespaceNotFound", "ns does not exist: \(place)")
    }

    private func exists(_ place: Namespace) -> Failure {
        Failure(48, "NamespaceExists", "a collection '\(place)' already exists")
    }

    // MARK: create and drop

    private func create(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        if MongoDoubleSeries.isOfBuckets(place) {
            throw Failure(73, "InvalidNamespace", "buckets are made with their series: \(place)")
        }
        guard state.collections[place] == nil else { throw exists(place) }
        if let series = MongoDoubleSeries(arguments) {
            let options = try series.completed(by: state)
            let buckets = MongoDoubleSeries.buckets(of: place)
            guard state.collections[buckets] == nil else { throw exists(buckets) }
            var shown = MongoDoubleState.Stored()
            shown.type = "timeseries"
            shown.options = options
            state.collections[buckets] = series.buckets(options, &state)
            state.collections[place] = shown
            return []
        }
        var stored = state.newCollection()
        stored.options = arguments.without(["idIndex"])
        if arguments["viewOn"] != nil {
            stored.type = "view"
            stored.uuid = nil
            stored.indexes = []
        } else if let index = arguments["idIndex"]?.document {
            stored.indexes = [index]
        } else if let clustered = arguments["clusteredIndex"]?.document {
            stored.indexes = [clustered.setting("clustered", .bool(true))]
        } else if arguments["autoIndexId"]?.isTrue == false {
            stored.indexes = []
        }
        state.collections[place] = stored
        return []
    }

    private func drop(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        guard let stored = state.collections[place] else {
            // From 7.0 on no error.
            if state.isAtLeast(7) { return [] }
            throw Failure(26, "NamespaceNotFound", "ns not found")
        }
        if stored.type == "timeseries" { state.drop(MongoDoubleSeries.buckets(of: place)) }
        state.drop(place)
        return [
            ("nIndexesWas", .int32(Int32(stored.indexes.count))),
            ("ns", .string(place.description)),
        ]
    }

    private func dropDatabase(_ state: inout MongoDoubleState) -> Answer {
        for other in state.collections.keys where other.database == place.database {
            state.drop(other)
        }
        return [("dropped", .string(place.database))]
    }

    private func rename(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        guard let from = request[name]?.string.flatMap({ Namespace($0) }),
            let to = request["to"]?.string.flatMap({ Namespace($0) })
        else { throw Failure(73, "InvalidNamespace", "renameCollection names no collections") }
        guard var stored = state.collections[from] else {
            throw Failure(26, "NamespaceNotFound", "source namespace does not exist: \(from)")
        }
        guard stored.type == "collection", !MongoDoubleSeries.isOfBuckets(from) else {
            throw Failure(20, "IllegalOperation", "\(from) is of type \(stored.type)")
        }
        if state.collections[to] != nil {
            guard request["dropTarget"]?.isTrue == true else {
                throw Failure(48, "NamespaceExists", "target namespace exists")
            }
            state.drop(to)
        }
        state.rename(from, to: to)
        if from.database != to.database {
            stored.uuid = state.newCollection().uuid
            state.collections[to]?.uuid = stored.uuid
        }
        return []
    }

    // MARK: indexes

    /// Where the indexes are, and how one that is sent is kept.
    private func indexed(
        _ state: MongoDoubleState
    ) throws(Failure) -> (place: Namespace, series: MongoDoubleSeries?) {
        switch state.collections[place]?.type {
        case "view":
            throw Failure(
                166, "CommandNotSupportedOnView", "Namespace \(place) is a view, not a collection")
        case "timeseries":
            let series = state.collections[place].flatMap { MongoDoubleSeries($0.options) }
            return (MongoDoubleSeries.buckets(of: place), series)
        default: return (place, nil)
        }
    }

    private func createIndexes(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        let (place, series) = try indexed(state)
        if state.collections[place] == nil, MongoDoubleSeries.isOfBuckets(place) {
            throw missing(place)
        }
        let isMade = state.collections[place] == nil
        var stored = state.collections[place] ?? state.newCollection()
        let before = stored.indexes.count
        for value in request["indexes"]?.elements ?? [] {
            guard let sent = value.document, sent["key"]?.document != nil,
                let name = sent["name"]?.string
            else { throw Failure(9, "FailedToParse", "an index has a key and a name") }
            var index = sent
            if let series { index = try series.index(ofSeries: sent) }
            if index["v"] == nil {
                index = BSONDocument(
                    [("v", .int32(2))] + index.fields.map { ($0.name, $0.value) })
            }
            if let known = stored.indexes.first(where: { $0["name"]?.string == name }) {
                guard known["key"] == index["key"] else {
                    throw Failure(
                        86, "IndexKeySpecsConflict",
                        "An existing index has the same name as the requested index: \(name)")
                }
                continue
            }
            stored.indexes.append(index)
        }
        state.collections[place] = stored
        return [
            ("numIndexesBefore", .int32(Int32(before))),
            ("numIndexesAfter", .int32(Int32(stored.indexes.count))),
            ("createdCollectionAutomatically", .bool(isMade)),
        ]
    }

    private func dropIndexes(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        let (place, series) = try indexed(state)
        guard var stored = state.collections[place] else { throw missing(place) }
        let before = stored.indexes.count
        let wanted = request["index"]
        var gone: [BSONDocument] = []
        if let name = wanted?.string {
            gone = stored.indexes.filter { $0["name"]?.string == name || name == "*" }
        } else if let key = wanted?.document {
            gone = stored.indexes.filter { index in
                (series.flatMap { $0.index(ofBuckets: index) } ?? index)["key"]?.document == key
            }
        } else {
            let names = (wanted?.elements ?? []).compactMap(\.string)
            gone = stored.indexes.filter { names.contains($0["name"]?.string ?? "") }
        }
        gone.removeAll { $0["name"]?.string == "_id_" }
        guard !gone.isEmpty || wanted?.string == "*" else {
            throw Failure(27, "IndexNotFound", "index not found: \(arguments.text(limit: 100))")
        }
        stored.indexes.removeAll(where: gone.contains)
        state.collections[place] = stored
        return [("nIndexesWas", .int32(Int32(before)))]
    }

    // MARK: collMod

    private func modify(_ state: inout MongoDoubleState) throws(Failure) -> Answer {
        guard let shown = state.collections[place] else { throw missing(place) }
        let isSeries = shown.type == "timeseries"
        let places = isSeries ? [place, MongoDoubleSeries.buckets(of: place)] : [place]
        for place in places {
            guard var stored = state.collections[place] else { throw missing(place) }
            for field in arguments.fields {
                switch field.name {
                case "index": try modify(field.value.document ?? .empty, &stored)
                case "timeseriesBucketsMayHaveMixedSchemaData" where isSeries:
                    stored.takesMixedBuckets = field.value.isTrue
                case "timeseries" where isSeries: stored.options = regrained(stored, field.value)
                case "timeseries", "timeseriesBucketsMayHaveMixedSchemaData":
                    throw Failure(72, "InvalidOptions", "\(place) is no time series")
                case "cappedSize":
                    stored.options = stored.options.setting("size", field.value)
                case "cappedMax": stored.options = stored.options.setting("max", field.value)
                case "validator" where field.value.document?.isEmpty == true:
                    stored.options = stored.options.without(["validator"])
                case "expireAfterSeconds" where field.value.string == "off":
                    stored.options = stored.options.without(["expireAfterSeconds"])
                default: stored.options = stored.options.setting(field.name, field.value)
                }
            }
            state.collections[place] = stored
        }
        return []
    }

    /// Of a time series; the span of its buckets follows.
    private func regrained(
        _ stored: MongoDoubleState.Stored, _ change: BSONValue
    ) -> BSONDocument {
        var series = stored.options["timeseries"]?.document ?? .empty
        for field in change.document?.fields ?? [] {
            series = series.setting(field.name, field.value)
        }
        if change.document?["granularity"] != nil {
            series = series.without(["bucketMaxSpanSeconds"])
        }
        let whole = stored.options.setting("timeseries", .document(series))
        var latest = MongoDoubleState(port: 0)
        latest.version = "8.0"
        return
            (try? MongoDoubleSeries(whole.without(["validator", "clusteredIndex"]))?
            .completed(by: latest))
            .flatMap { $0["timeseries"] }
            .map { stored.options.setting("timeseries", $0) } ?? whole
    }

    private func modify(
        _ change: BSONDocument, _ stored: inout MongoDoubleState.Stored
    ) throws(Failure) {
        // The shown half of a time series has none.
        if stored.type == "timeseries" { return }
        let place = stored.indexes.firstIndex { index in
            change["name"].map { index["name"] == $0 } ?? (index["key"] == change["keyPattern"])
        }
        guard let place else {
            throw Failure(27, "IndexNotFound", "cannot find index \(change.text(limit: 100))")
        }
        for field in change.fields where !["name", "keyPattern"].contains(field.name) {
            let isOff =
                ["hidden", "unique", "prepareUnique"].contains(field.name)
                && !field.value.isTrue
            stored.indexes[place] =
                isOff
                ? stored.indexes[place].without([field.name])
                : stored.indexes[place].setting(field.name, field.value)
        }
    }
}
