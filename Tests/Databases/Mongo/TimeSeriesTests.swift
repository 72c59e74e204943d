import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Time series through base backup, folder and live restore.
///
/// What is replayed is written after the source of servers from 5.0 on, not recorded: see
/// `SeriesEntries`. The layout of the folder is that of mongodump 100.x (`prepare.go`:
/// `X.metadata.json` and `system.buckets.X.bson`), the way into a server that of mongorestore
/// (`restore.go`, `filepath.go`): `X` is made with its options, its buckets are inserted as they are.
@Suite struct TimeSeriesTests {
    private func json(_ text: String) throws -> BSONDocument { try DoubleUse.document(text) }

    private func source() throws -> (use: DoubleUse, restore: CopyRun) {
        let use = try DoubleUse(version: "6.0.5")
        try SeriesEntries.fill(use)
        let base = try BaseBackupRun(use.double.url)
        var uuids: [Namespace: CollectionUUID] = [:]
        for place in [SeriesEntries.weather, SeriesEntries.old] {
            uuids[place] = use.stored(place)?.uuid
        }
        let entries = try SeriesEntries.oplog(uuids)
        return (use, CopyRun(base: base, entries: entries, version: "6.0.5"))
    }

    private func metadata(_ name: String, in base: BaseBackupRun) throws -> BSONDocument {
        try ExtendedJSON.parse(base.files[name] ?? [], name)
    }

    @Test func `a base backup has the files that mongodump writes`() async throws {
        try await offPool {
            let (use, restore) = try source()
            let base = restore.base
            #expect(base.start == base.end, "exact")
            #expect(
                base.begun.map(\.name) == [
                    "db/old.metadata.json", "db/system.buckets.old.bson",
                    "db/weather.metadata.json", "db/system.buckets.weather.bson",
                ])
            #expect(
                base.files["db/system.buckets.weather.bson"]
                    == use.documents(SeriesEntries.weather).flatMap(\.bytes))
            let told = try metadata("db/weather.metadata.json", in: base)
            #expect(told["type"]?.string == "timeseries")
            #expect(told["collectionName"]?.string == "weather")
            #expect(
                told["options"]
                    == use.stored(Namespace("db", "weather")).map {
                        .document($0.options)
                    })
            // In the fields of the series: mongorestore asks the series for them.
            let keys = (told["indexes"]?.elements ?? []).map { $0.document?["key"]?.document }
            #expect(keys == [try json(#"{"m.city":1}"#), try json(#"{"temp":1}"#)])
            let buckets = told["buckets"]?.document
            #expect(
                buckets?["uuid"]?.string == use.stored(SeriesEntries.weather)?.uuid?.description)
            #expect(
                buckets?["indexes"]?.elements?.first?.document?["key"]?.document
                    == (try json(#"{"meta.city":1}"#)))
        }
    }

    @Test func `buckets whose series is not there yet are told by themselves`() async throws {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            try SeriesEntries.fill(use)
            use.double.state.update { state in
                state.collections[Namespace("db", "weather")] = nil
                state.frozen = state.collections
            }
            let base = try BaseBackupRun(use.double.url)
            #expect(
                base.begun.map(\.name).suffix(2) == [
                    "db/system.buckets.weather.metadata.json", "db/system.buckets.weather.bson",
                ])
            let target = try DoubleUse(version: "6.0.5")
            try CopyRun(base: base, entries: [], version: "6.0.5")
                .run(server: target.double.url)
            #expect(target.stored(Namespace("db", "weather"))?.type == "timeseries")
            #expect(
                target.documents(SeriesEntries.weather) == use.documents(SeriesEntries.weather))
        }
    }

    /// A base that was read while the series was made tells the buckets' UUID: by that the entry
    /// that made them is known to be in it, and what follows belongs to them.
    @Test func `a series that was made while the base backup ran goes on with the oplog`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            try SeriesEntries.fill(use)
            let series = try json(#"{"timeField":"t"}"#)
            try use.run([("create", .string("load")), ("timeseries", .document(series))])
            let there = try SeriesEntries.bucket(5, city: "x", [(3, "1")])
            try use.insert([there], into: SeriesEntries.load)
            use.double.state.update { state in
                state.collections[SeriesEntries.load]?.uuid = SeriesEntries.loadID
                state.frozen = state.collections
            }
            var uuids: [Namespace: CollectionUUID] = [:]
            for place in [SeriesEntries.weather, SeriesEntries.old] {
                uuids[place] = use.stored(place)?.uuid
            }
            var base = try BaseBackupRun(use.double.url)
            base.end = SeriesEntries.time(8).ordinal
            let later = try SeriesEntries.bucket(7, city: "x", [(60, "2")])
            let last = try SeriesEntries.insert(
                20, later, into: SeriesEntries.load, SeriesEntries.loadID)
            let entries = try SeriesEntries.oplog(uuids) + [last]
            let target = try DoubleUse(version: "6.0.5")
            try CopyRun(base: base, entries: entries, version: "6.0.5")
                .run(server: target.double.url)
            #expect(target.documents(SeriesEntries.load) == [there, later])
            #expect(target.documents(SeriesEntries.weather) == (try SeriesEntries.ended))
        }
    }

    @Test func `a live server gets the buckets of the oplog's end, and the series once`()
        async throws
    {
        try await offPool {
            let (_, restore) = try source()
            let target = try DoubleUse(version: "6.0.5")
            target.double.state.update { $0.writesTake = 0.02 }
            let copy = try restore.run(server: target.double.url)
            #expect(copy.warnings.isEmpty, "\(copy.warnings)")
            #expect(target.documents(SeriesEntries.weather) == (try SeriesEntries.ended))
            #expect(
                target.documents(SeriesEntries.load) == [
                    try SeriesEntries.bucket(5, city: "x", [(3, "1")])
                ])
            #expect(target.documents(Namespace("db", "old")) == [try json(#"{"_id":1}"#)])
            let types = target.double.state.read { state in
                state.collections.map { "\($0.key): \($0.value.type)" }.sorted()
            }
            #expect(
                types == [
                    "db.load: timeseries", "db.old: collection",
                    "db.system.buckets.load: collection", "db.system.buckets.weather: collection",
                    "db.weather: timeseries",
                ])
            let options = try #require(target.stored(Namespace("db", "weather"))).options
            #expect(options["expireAfterSeconds"]?.integer == 86_400)
            #expect(
                options["timeseries"]?.document
                    == (try json(
                        #"{"timeField":"t","metaField":"m","granularity":"minutes","#
                            + #""bucketMaxSpanSeconds":86400}"#)))
            try compareIndexes(target)
            checkOrder(target.double.state.read { $0.record.requests })
        }
    }

    /// As the buckets have them and as the series tells them.
    private func compareIndexes(_ target: DoubleUse) throws {
        let kept = target.stored(SeriesEntries.weather)?.indexes ?? []
        let keys = Dictionary(
            uniqueKeysWithValues: kept.map { ($0["name"]?.string ?? "", $0["key"]?.document) })
        #expect(
            keys == [
                "temp_1": try json(#"{"control.min.temp":1,"control.max.temp":1}"#),
                "t_1": try json(#"{"control.min.t":1,"control.max.t":1}"#),
                "hum_1": try json(#"{"control.min.hum":1,"control.max.hum":1}"#),
            ])
        var told: Set<BSONDocument> = []
        try target.connection.each(
            BSONDocument([("listIndexes", .string("weather"))]), on: "db", at: .primary
        ) { if let key = $0["key"]?.document { told.insert(key) } }
        #expect(
            told == [
                try json(#"{"temp":1}"#), try json(#"{"t":1}"#), try json(#"{"hum":1}"#),
            ])
    }

    private func checkOrder(_ all: [MongoDoubleRecord.Request]) {
        let own = all.filter { $0.command["$db"]?.string == "db" }
        func about(_ request: MongoDoubleRecord.Request) -> String {
            request.command.fields.first?.value.string ?? ""
        }
        let writes = own.filter { ["insert", "update", "delete"].contains($0.name) }
        let made = own.filter { $0.name == "create" }.map(about)
        #expect(made.sorted() == ["load", "old", "old", "weather"], "views are not made again")
        for name in ["weather", "load", "old"] {
            let first = own.first { $0.name == "create" && about($0) == name }
            let write = writes.first { about($0) == "system.buckets." + name }
            #expect(first?.ended ?? .max < write?.begun ?? 0, "\(name) is made before its buckets")
        }
        let definitions = own.filter {
            ["create", "drop", "collMod", "createIndexes", "renameCollection"].contains($0.name)
        }
        #expect(definitions.count > 6 && writes.count > 4)
        for definition in definitions {
            let same = writes.filter {
                about($0) == about(definition)
                    || about($0) == "system.buckets." + about(definition)
            }
            #expect(!same.contains { $0.overlaps(definition) }, "\(definition.name) amid writes")
        }
        let built = own.filter { $0.name == "createIndexes" }
        let lastWrite = writes.compactMap(\.ended).max() ?? .max
        #expect(!built.isEmpty && built.allSatisfy { $0.begun > lastWrite }, "indexes come last")
        #expect(Set(built.map(about)) == ["weather", "system.buckets.weather"])
    }

    @Test func `a restore that is cut off at any command goes on to the same series`()
        async throws
    {
        try await offPool {
            let (_, restore) = try source()
            let cuts = try DoubleCutOff(restore, version: "6.0.5")
            #expect(cuts.steps > 20)
            var interrupted = 0
            for step in 1...cuts.steps {
                if try cuts.run(at: step) { interrupted += 1 }
            }
            #expect(interrupted >= cuts.steps - 2)
        }
    }

    @Test func `a folder has what the official mongorestore takes`() async throws {
        try await offPool {
            let (_, restore) = try source()
            let folder = try ScratchDirectory()
            let place = folder.path + "/dump"
            try restore.run(folder: place)
            #expect(try Directory.names(in: place).sorted() == ["db", "oplog.bson"])
            #expect(
                try Directory.names(in: place + "/db").sorted() == [
                    "old.metadata.json", "system.buckets.old.bson", "system.buckets.weather.bson",
                    "weather.metadata.json",
                ])
            let oplog = try File(place + "/oplog.bson", .reading).read(at: 0, 1 << 20)
            #expect(oplog == restore.entries.flatMap { $0 })
        }
    }

    @Test func `buckets that hold a field in two types are taken once the server is told`()
        async throws
    {
        try await offPool {
            let use = try DoubleUse(version: "5.0.9")
            try SeriesEntries.fill(use)
            // A 5.0 makes such.
            let mixed = try SeriesEntries.bucket(6, city: "Bern", [(1, "1"), (2, #""warm""#)])
            try use.insert([mixed], into: SeriesEntries.weather)
            use.double.state.update { $0.frozen = $0.collections }
            let base = try BaseBackupRun(use.double.url)
            let restore = CopyRun(base: base, entries: [], version: "5.0.9")
            let target = try DoubleUse(version: "6.0.5")
            try restore.run(server: target.double.url)
            #expect(
                target.documents(SeriesEntries.weather).sorted { $0.bytes.count < $1.bytes.count }
                    == use.documents(SeriesEntries.weather)
                    .sorted { $0.bytes.count < $1.bytes.count })
            // The same of one that is put.
            let other = try DoubleUse(version: "6.0.5")
            try SeriesEntries.fill(other)
            let put = WriteBatch.Put(
                id: try SeriesEntries.key(1),
                document: mixed.setting("_id", try SeriesEntries.key(1)), mustExist: true,
                isNew: false)
            let made = try other.connection.put(
                [put], in: SeriesEntries.weather, isOrdered: false)
            #expect(made == 0 && other.documents(SeriesEntries.weather).contains(put.document))
        }
    }

    // MARK: what cannot be had

    @Test func `series without buckets of their own, as 9_0 has them, are refused`() async throws {
        try await offPool {
            let use = try DoubleUse(version: "6.0.5")
            try SeriesEntries.fill(use)
            use.double.state.update { state in
                let buckets = state.collections.removeValue(forKey: SeriesEntries.weather)
                state.collections[Namespace("db", "weather")]?.uuid = buckets?.uuid
            }
            let error = #expect(throws: TidemarkError.self) { try BaseBackupRun(use.double.url) }
            #expect(error?.code == .sourceRefused)
            #expect(error?.message.contains("db.weather is a time series without") == true)
            #expect(error?.remedy.contains("feature compatibility version") == true)
            let replay = OplogReplay(
                MemoryDatabase(), catalog: ReplayCatalog(), rules: ReplayRules(after: .zero))
            let create = BSONDocument([
                ("op", .string("c")), ("ns", .string("db.$cmd")),
                ("o", .document(try json(#"{"create":"w","timeseries":{"timeField":"t"}}"#))),
                ("ts", .timestamp(SeriesEntries.time(2))), ("t", .int64(1)), ("v", .int64(2)),
            ])
            let stopped = #expect(throws: TidemarkError.self) { try replay.take(create.bytes) }
            #expect(stopped?.message.contains("makes the time series db.w without") == true)
        }
    }

    @Test func `change streams carry no time series, which is told of every version`() {
        for version in ["4.4.4", "5.0.9", "6.0.5", "8.0.1"] {
            let told = MongoReplayer().omissions(
                of: ServerFacts(identity: "a", version: version), on: TimelineID("a.changes"))
            #expect(told.contains { $0.contains("no time series") }, "\(version)")
        }
    }

    @Test func `check says that change streams carry no time series, and what does`() async throws {
        try await offPool {
            let fixture = try MongoFixture("shop")
            for version in ["4.4.4", "6.0.5"] {
                let double = try MongoDouble(entries: fixture.oplog())
                double.tell(try fixture.changes())
                double.state.update { $0.version = version }
                let room = MongoRoom(
                    try DoubleUse.configuration(double.url + "&mode=changeStream"),
                    time: SystemTimeSource())
                let inspector = room.inspector()
                defer { inspector.close() }
                let finding = try #require(
                    try inspector.check().first { $0.message.contains("no time series") })
                #expect(finding.level == .warning && finding.remedy.contains("mode=oplog"))
            }
        }
    }
}
