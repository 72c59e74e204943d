import Mongo

/// What a server of 5.0 to 8.x makes of a time series: `db.X`, of type `timeseries`, over the
/// collection `db.system.buckets.X`, whose indexes are told of `db.X` in its own fields.
///
/// After the server's timeseries_index_schema_conversion_functions.cpp and create_collection.cpp.
/// Buckets are not made of measurements: tests write them as a server has written them.
struct MongoDoubleSeries {
    typealias Failure = MongoDoubleState.Failure

    private static let prefix = "system.buckets."
    private let timeField: String
    private let metaField: String?
    private let options: BSONDocument

    static func buckets(of series: Namespace) -> Namespace {
        Namespace(series.database, prefix + series.collection)
    }

    static func isOfBuckets(_ place: Namespace) -> Bool { place.collection.hasPrefix(prefix) }

    /// The series over these buckets.
    static func series(of buckets: Namespace) -> Namespace? {
        guard isOfBuckets(buckets) else { return nil }
        return Namespace(buckets.database, String(buckets.collection.dropFirst(prefix.count)))
    }

    /// - Parameter options: of the collection; nil when it is no time series.
    init?(_ options: BSONDocument) {
        guard let series = options["timeseries"]?.document,
            let time = series["timeField"]?.string
        else { return nil }
        self.options = options
        timeField = time
        metaField = series["metaField"]?.string
    }

    // MARK: create

    private static let spans: [String: Int32] = [
        "seconds": 3600, "minutes": 86_400, "hours": 2_592_000,
    ]

    /// With what a server adds to them, in the place of what `create` was given.
    func completed(by state: MongoDoubleState) throws(Failure) -> BSONDocument {
        guard state.isAtLeast(5) else {
            throw Failure(40415, "Location40415", "BSON field 'create.timeseries' is unknown")
        }
        for name in ["validator", "clusteredIndex", "capped", "viewOn", "idIndex"]
        where options[name] != nil {
            throw Failure(
                72, "InvalidOptions", "'\(name)' is not allowed with the 'timeseries' option")
        }
        var series = options["timeseries"]?.document ?? .empty
        let granularity = series["granularity"]?.string ?? "seconds"
        let span = Self.spans[granularity] ?? 3600
        if series["granularity"] == nil, series["bucketMaxSpanSeconds"] == nil {
            series = series.setting("granularity", .string(granularity))
        }
        if let given = series["bucketMaxSpanSeconds"]?.integer, given != Int64(span),
            !state.isAtLeast(6, 3)
        {
            throw Failure(
                5_510_500, "Location5510500",
                "Timeseries 'bucketMaxSpanSeconds' is not configurable to a value other than the "
                    + "default of \(span) for the provided granularity")
        }
        if series["bucketMaxSpanSeconds"] == nil {
            series = series.setting("bucketMaxSpanSeconds", .int32(span))
        }
        return options.setting("timeseries", .document(series))
    }

    /// The collection of the buckets; `options` are completed.
    func buckets(
        _ options: BSONDocument, _ state: inout MongoDoubleState
    ) -> MongoDoubleState.Stored {
        var stored = state.newCollection()
        let required = ["_id", "control", "data"].map { BSONValue.string($0) }
        let schema = BSONDocument([
            ("bsonType", .string("object")), ("required", .array(required)),
        ])
        let validator = BSONDocument([("$jsonSchema", .document(schema))])
        stored.options = BSONDocument(
            [("validator", .document(validator)), ("clusteredIndex", .bool(true))]
                + options.fields.map { ($0.name, $0.value) })
        // Clustered by `_id` in the legacy form, which no list of indexes tells.
        stored.indexes = []
        if let metaField, state.isAtLeast(6, 3) {
            let key = BSONDocument([(metaField, .int32(1)), (timeField, .int32(1))])
            stored.indexes.append(
                BSONDocument([
                    ("v", .int32(2)), ("key", .document(bucketsKey(key))),
                    ("name", .string("\(metaField)_1_\(timeField)_1")),
                ]))
        }
        return stored
    }

    // MARK: indexes

    /// An index of the series as the buckets have it.
    func index(ofSeries index: BSONDocument) throws(Failure) -> BSONDocument {
        for name in ["partialFilterExpression", "expireAfterSeconds", "unique"]
        where index[name] != nil {
            throw Failure(
                115, "CommandNotSupported", "the double translates no \(name) of a time series")
        }
        let key = index["key"]?.document ?? .empty
        let translated = index.setting("key", .document(bucketsKey(key)))
        let isOfMeasurements = key.fields.contains { field in
            field.name != timeField && metaPath(field.name) == nil
        }
        return isOfMeasurements
            ? translated.setting("originalSpec", .document(index)) : translated
    }

    private func bucketsKey(_ key: BSONDocument) -> BSONDocument {
        var fields: [(String, BSONValue)] = []
        for field in key.fields {
            if let path = metaPath(field.name) {
                fields.append((path, field.value))
            } else if field.value.string == "2dsphere" {
                fields.append(("data.\(field.name)", .string("2dsphere_bucket")))
            } else {
                let sides = (field.value.integer ?? 1) >= 0 ? ["min", "max"] : ["max", "min"]
                fields += sides.map { ("control.\($0).\(field.name)", field.value) }
            }
        }
        return BSONDocument(fields)
    }

    private func metaPath(_ name: String) -> String? {
        guard let metaField else { return nil }
        if name == metaField { return "meta" }
        guard name.hasPrefix(metaField + ".") else { return nil }
        return "meta" + name.dropFirst(metaField.count)
    }

    /// An index of the buckets as the series has it; nil for one that it cannot be told of.
    func index(ofBuckets index: BSONDocument) -> BSONDocument? {
        if let original = index["originalSpec"]?.document { return original }
        var fields: [(String, BSONValue)] = []
        for field in index["key"]?.document?.fields ?? [] {
            switch field.name {
            case "control.min.\(timeField)": fields.append((timeField, field.value))
            case "control.max.\(timeField)": continue
            case "meta": fields.append((metaField ?? "", field.value))
            case let name where name.hasPrefix("meta."):
                fields.append(((metaField ?? "") + name.dropFirst(4), field.value))
            default: return nil
            }
        }
        return index.setting("key", .document(BSONDocument(fields)))
    }

    // MARK: buckets

    /// Whether the least and the greatest of a field at the top are of different types.
    static func isMixed(_ bucket: BSONDocument) -> Bool {
        let control = bucket["control"]?.document
        guard let least = control?["min"]?.document, let most = control?["max"]?.document else {
            return false
        }
        return least.fields.contains { field in
            most[field.name].map { BSONOrder.bracket($0) != BSONOrder.bracket(field.value) } == true
        }
    }
}
