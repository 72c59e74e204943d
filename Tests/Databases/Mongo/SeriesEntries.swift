import Model
import Platform
import TestKit

@testable import Mongo

/// Time series of a 6.0, and what happens to them in the oplog.
///
/// **Written, not recorded**: no server from 5.0 on could be had. The entries are literally those
/// of the facts about such servers (their own source and jstests): `create` of
/// `system.buckets.X` with validator, `clusteredIndex` and `timeseries`, and an insert into
/// `system.views`; `i`, `u` of `$v: 2` and `d` on the buckets; indexes and `collMod` by the buckets'
/// name and in their fields; a drop as a deletion from `system.views` and `drop` of the buckets.
enum SeriesEntries {
    static let weather = Namespace("db", "system.buckets.weather")
    static let load = Namespace("db", "system.buckets.load")
    static let old = Namespace("db", "system.buckets.old")
    /// Of the buckets of `load`, which are made behind the base backup.
    static let loadID = CollectionUUID([UInt8](repeating: 7, count: 16))

    static func json(_ text: String) throws -> BSONDocument { try DoubleUse.document(text) }

    static func time(_ number: UInt32) -> OpTime {
        OpTime(seconds: 1_700_000_000 + number, increment: 1)
    }

    /// `{$oid}` and `{$date}` of a number.
    private static func id(_ number: Int) -> String {
        let digits = String(number)
        return #"{"$oid":""# + String(repeating: "0", count: 24 - digits.count) + digits + #""}"#
    }

    private static func date(_ minute: Int) -> String {
        #"{"$date":{"$numberLong":""# + String(1_700_000_000_000 + minute * 60_000) + #""}}"#
    }

    static func key(_ number: Int) throws -> BSONValue {
        try json(#"{"_id":"# + id(number) + "}")["_id"] ?? .null
    }

    /// A bucket of measurements `(minute, temp)`, as a server fills one.
    static func bucket(
        _ number: Int, city: String, _ measured: [(Int, String)]
    ) throws -> BSONDocument {
        func column(_ values: [String]) -> String {
            "{"
                + values.enumerated().map { #""\#($0.offset)":\#($0.element)"# }
                .joined(separator: ",") + "}"
        }
        func bound(_ measure: (Int, String)?) -> String {
            #"{"t":\#(date(measure?.0 ?? 0)),"temp":\#(measure?.1 ?? "0")}"#
        }
        return try json(
            #"{"_id":\#(id(number)),"control":{"version":1,"min":\#(bound(measured.first)),"#
                + #""max":\#(bound(measured.last))},"meta":{"city":"\#(city)"},"#
                + #""data":{"t":\#(column(measured.map { date($0.0) })),"#
                + #""temp":\#(column(measured.map(\.1)))}}"#)
    }

    // MARK: the source as it is when the base backup begins

    /// Two series: `weather` with two buckets and two indexes, and `old` with one bucket.
    static func fill(_ use: DoubleUse) throws {
        let series = try json(#"{"timeField":"t","metaField":"m"}"#)
        for name in ["weather", "old"] {
            try use.run([("create", .string(name)), ("timeseries", .document(series))])
        }
        try use.insert(
            [bucket(1, city: "Bern", [(1, "7")]), bucket(2, city: "Rome", [(1, "20")])],
            into: weather)
        try use.insert([bucket(9, city: "Oslo", [(1, "1")])], into: old)
        let indexes = try [
            #"{"key":{"m.city":1},"name":"m.city_1"}"#, #"{"key":{"temp":1},"name":"temp_1"}"#,
        ].map { BSONValue.document(try json($0)) }
        try use.run([("createIndexes", .string("weather")), ("indexes", .array(indexes))])
        use.double.state.update { $0.frozen = $0.collections }
    }

    // MARK: what happens behind it

    private static func entry(
        _ number: UInt32, _ op: String, _ ns: String, _ o: String, of o2: String? = nil,
        _ uuid: CollectionUUID?
    ) throws -> [UInt8] {
        var fields: [(String, BSONValue)] = [("op", .string(op)), ("ns", .string(ns))]
        if let uuid { fields.append(("ui", .uuid(uuid))) }
        fields.append(("o", .document(try json(o))))
        if let o2 { fields.append(("o2", .document(try json(o2)))) }
        fields += [
            ("ts", .timestamp(time(number))), ("t", .int64(1)), ("v", .int64(2)),
            ("wall", .date(milliseconds: Int64(1_700_000_000 + number) * 1000)),
        ]
        return BSONDocument(fields).bytes
    }

    private static let buckets =
        #""validator":{"$jsonSchema":{"bsonType":"object","required":["_id","control","data"]}},"#
        + #""clusteredIndex":true,"timeseries":{"timeField":"t","granularity":"seconds","#
        + #""bucketMaxSpanSeconds":3600}"#

    private static func view(_ name: String, span: Int) -> String {
        #"{"_id":"db.\#(name)","viewOn":"system.buckets.\#(name)","pipeline":[{"#
            + #""$_internalUnpackBucket":{"timeField":"t","bucketMaxSpanSeconds":\#(span)}}]}"#
    }

    /// The insert of a bucket.
    static func insert(
        _ number: UInt32, _ bucket: BSONDocument, into place: Namespace, _ uuid: CollectionUUID?
    ) throws -> [UInt8] {
        try entry(number, "i", place.description, bucket.jsonText, uuid)
    }

    /// - Parameter uuids: of the buckets that the base backup has.
    static func oplog(_ uuids: [Namespace: CollectionUUID]) throws -> [[UInt8]] {
        let viewsID = CollectionUUID([UInt8](repeating: 8, count: 16))
        let (of, ofOld) = (uuids[weather], uuids[old])
        let grow =
            #"{"$v":2,"diff":{"scontrol":{"smax":{"u":{"t":\#(date(2)),"temp":9}}},"#
            + #""sdata":{"st":{"i":{"1":\#(date(2))}},"stemp":{"i":{"1":9}}}}}"#
        let built =
            #"{"commitIndexBuild":"system.buckets.weather","indexBuildUUID":1,"indexes":[{"v":2,"#
            + #""key":{"control.min.hum":1,"control.max.hum":1},"name":"hum_1","#
            + #""originalSpec":{"key":{"hum":1},"name":"hum_1","v":2}}]}"#
        return try [
            // A bucket grows, one comes, one goes.
            entry(2, "u", "\(weather)", grow, of: #"{"_id":\#(id(1))}"#, of),
            entry(3, "i", "\(weather)", bucket(3, city: "Bern", [(90, "8")]).jsonText, of),
            entry(4, "d", "\(weather)", #"{"_id":\#(id(2))}"#, of),
            // Another series, and what is written to it at once.
            entry(5, "c", "db.$cmd", #"{"create":"system.buckets.load",\#(buckets)}"#, loadID),
            entry(6, "i", "db.system.views", view("load", span: 3600), viewsID),
            entry(7, "i", "\(load)", bucket(5, city: "x", [(3, "1")]).jsonText, loadID),
            // Indexes: of empty buckets, of full ones, and one dropped.
            entry(
                8, "c", "db.$cmd",
                #"{"createIndexes":"system.buckets.weather","v":2,"#
                    + #""key":{"control.min.t":1,"control.max.t":1},"name":"t_1"}"#, of),
            entry(9, "c", "db.$cmd", #"{"startIndexBuild":"system.buckets.weather"}"#, of),
            entry(10, "c", "db.$cmd", built, of),
            entry(
                11, "c", "db.$cmd",
                #"{"dropIndexes":"system.buckets.weather","index":"m.city_1"}"#,
                of: #"{"v":2,"key":{"meta.city":1},"name":"m.city_1"}"#, of),
            // Options: how long, and how coarse, which changes the view too.
            entry(
                12, "c", "db.$cmd",
                #"{"collMod":"system.buckets.weather","expireAfterSeconds":86400}"#, of),
            entry(
                13, "c", "db.$cmd",
                #"{"collMod":"system.buckets.weather","timeseries":{"granularity":"minutes"}}"#,
                of),
            entry(
                14, "u", "db.system.views", view("weather", span: 86_400),
                of: #"{"_id":"db.weather"}"#, viewsID),
            // A series is dropped, and a plain collection takes its name.
            entry(15, "d", "db.system.views", #"{"_id":"db.old"}"#, viewsID),
            entry(16, "c", "db.$cmd", #"{"drop":"system.buckets.old"}"#, ofOld),
            entry(
                17, "c", "db.$cmd", #"{"create":"old"}"#,
                CollectionUUID([UInt8](repeating: 9, count: 16))),
            entry(
                18, "i", "db.old", #"{"_id":1}"#, CollectionUUID([UInt8](repeating: 9, count: 16))),
            entry(19, "i", "\(weather)", bucket(4, city: "Bern", [(99, "6")]).jsonText, of),
        ]
    }

    private static func entry(
        _ number: UInt32, _ op: String, _ ns: String, _ o: String, _ uuid: CollectionUUID?
    ) throws -> [UInt8] { try entry(number, op, ns, o, of: nil, uuid) }

    /// What the buckets of `weather` are in the end, in the order in which they came.
    static var ended: [BSONDocument] {
        get throws {
            try [
                bucket(1, city: "Bern", [(1, "7"), (2, "9")]), bucket(3, city: "Bern", [(90, "8")]),
                bucket(4, city: "Bern", [(99, "6")]),
            ]
        }
    }
}

extension BSONDocument {
    fileprivate var jsonText: String { ExtendedJSON.text(self) }
}
