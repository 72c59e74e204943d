import Model

// Commands: what changes collections, not documents.
extension OplogReplay {
    func run(
        _ command: OplogCommand, _ place: OplogChange.Target, _ document: BSONDocument
    ) throws(TidemarkError) {
        let database = place.namespace.database
        switch command {
        case .ignored: return
        case .refused(let name, let reason):
            throw TidemarkError(
                .failed, "the oplog entry \(now) is \(name), which cannot be replayed: \(reason)",
                remedy: "choose a target before \(now), or a base backup taken after it")
        case .unknown(let name): throw unknown("the command \(name)", document)
        case .commitTransaction, .abortTransaction, .applyOps:
            throw unknown("the end of a transaction without its name", document)
        case .dropDatabase: try dropDatabase(database)
        case .rename(let from, let to, let dropsTarget, let staysTemporary):
            try rename(
                from, to: to, dropsTarget: dropsTarget, staysTemporary: staysTemporary, place.uuid)
        case .create(let collection, let options):
            let namespace = Namespace(database, collection)
            guard isReplayed(namespace) else { return }
            try checkSeries(namespace, options)
            try make(namespace, place.uuid, options)
        case .drop(let collection):
            let name = Namespace(database, collection)
            if isOfEvents, catalog.views[name] != nil { return catalog.setView(name, nil) }
            try on(name, place.uuid) { (namespace) throws(TidemarkError) in
                discard(namespace)
                try barrier()
                try target.drop(namespace)
                catalog.remove(namespace)
            }
        case .modify, .createIndexes, .dropIndexes, .convertToCapped, .empty:
            try alter(command, database, place.uuid)
        }
    }

    private func isReplayed(_ namespace: Namespace) -> Bool {
        switch NamespacePolicy.verdict(namespace) {
        case .replay: true
        case .users: rules.withUsers
        case .views, .skip: false
        }
    }

    /// Runs `body` when the collection is there; where it must be there, its absence is a miss.
    private func on(
        _ namespace: Namespace, _ uuid: CollectionUUID?, isMaking: Bool = false,
        _ body: (Namespace) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard isReplayed(namespace),
            let found = resolve(.init(namespace: namespace, uuid: uuid))
        else { return }
        if catalog[found] == nil {
            guard isOfEvents, isMaking else { return count(misses: 1) }
            try create(found, uuid, .empty)
        }
        try body(found)
    }

    // MARK: create, drop, rename

    /// Servers from 9.0 on write the buckets of a time series under its own name, where a target
    /// would take them for measurements.
    private func checkSeries(
        _ namespace: Namespace, _ options: BSONDocument
    ) throws(TidemarkError) {
        guard options["timeseries"] != nil, !isOfEvents,
            NamespacePolicy.timeSeries(of: namespace) == nil
        else { return }
        throw TidemarkError(
            .failed,
            "the oplog entry \(now) makes the time series \(namespace) without a collection of its "
                + "buckets, as servers from 9.0 on do, which this version does not know",
            remedy: "choose a target before \(now), or use a newer tidemark")
    }

    private func make(
        _ namespace: Namespace, _ uuid: CollectionUUID?, _ options: BSONDocument
    ) throws(TidemarkError) {
        if let uuid, catalog.name(of: uuid) != nil {
            // A fuzzy base has it already, perhaps under a later name.
            return
        }
        if catalog[namespace] != nil {
            if isFuzzy, let uuid {
                gone.insert(uuid)
                return
            }
            discard(namespace)
            try barrier()
            try target.drop(namespace)
            catalog.remove(namespace)
        }
        try create(namespace, uuid, options)
    }

    func create(
        _ namespace: Namespace, _ uuid: CollectionUUID?, _ options: BSONDocument
    ) throws(TidemarkError) {
        // `recordIdsReplicated` and the like are the server's own business.
        let plain = options.without(["temp", "recordIdsReplicated", "idIndex", "uuid"])
        var collection = ReplayCatalog.Collection(uuid: uuid, options: plain, indexes: [])
        collection.isTemporary = options["temp"]?.isTrue == true
        if let index = options["idIndex"]?.document { collection.indexes = [index.without(["ns"])] }
        try target.create(namespace, plain)
        catalog.add(namespace, collection)
    }

    private func dropDatabase(_ database: String) throws(TidemarkError) {
        guard NamespacePolicy.verdict(Namespace(database, "x")) == .replay else { return }
        try barrier()
        for namespace in catalog.inside(database) where isReplayed(namespace) {
            try target.drop(namespace)
            catalog.remove(namespace)
        }
        discard(Namespace(database, "system.views"))
        for view in catalog.views.keys where view.isOf(database) {
            catalog.setView(view, nil)
        }
        try target.dropDatabase(database)
    }

    private func rename(
        _ from: Namespace, to: Namespace, dropsTarget: Bool, staysTemporary: Bool,
        _ uuid: CollectionUUID?
    ) throws(TidemarkError) {
        guard isReplayed(from) || isReplayed(to),
            let source = resolve(.init(namespace: from, uuid: uuid))
        else { return }
        if source == to { return }
        guard catalog[source] != nil else { return count(misses: 1) }
        try refuseSeries(source, to)
        let isTaken = catalog[to] != nil
        if isTaken {
            guard dropsTarget || isFuzzy || isOfEvents else {
                throw TidemarkError(
                    .archiveDamaged,
                    "the entry \(now) renames \(from) to \(to), which exists and is not dropped",
                    remedy: "run `tidemark verify --deep`, or restore from another base backup")
            }
            try refuseTwice(source, to, uuid)
            discard(to)
        }
        try barrier()
        // In one step: between two an interrupted replay would drop what it has just renamed.
        try target.rename(source, to: to, dropsTarget: isTaken)
        if isTaken { catalog.remove(to) }
        catalog.rename(source, to: to, staysTemporary: staysTemporary)
    }

    /// `$out` into a time series writes buckets under another name, and renames them when they are
    /// all there; a target lets nobody do that.
    private func refuseSeries(_ source: Namespace, _ to: Namespace) throws(TidemarkError) {
        guard let series = NamespacePolicy.timeSeries(of: to),
            NamespacePolicy.timeSeries(of: source) != nil
        else { return }
        throw TidemarkError(
            .failed,
            "the entry \(now) renames the buckets \(source) to \(to), as `$out` into the time "
                + "series \(series) does: that can be done to no server",
            remedy: "choose a target before it, or one behind a base backup that was taken later")
    }

    /// Events before 6.0 name no UUID. Of a base that was read while a collection was renamed
    /// nobody can then say whether what is at the new name is already the renamed one, of which the
    /// events have only the newest part.
    private func refuseTwice(
        _ source: Namespace, _ to: Namespace, _ uuid: CollectionUUID?
    ) throws(TidemarkError) {
        let isOfBase = catalog[source]?.uuid != nil
        guard isOfEvents, isFuzzy, uuid == nil, !isOfBase else { return }
        throw TidemarkError(
            .failed,
            "\(source) was renamed to \(to) while the base backup ran, and change streams before "
                + "6.0 do not tell whether the base backup has it already",
            remedy: "restore from another base backup: a target before this one's end; and take "
                + "a new one with `tidemark backup`")
    }

    // MARK: options and indexes

    private func alter(
        _ command: OplogCommand, _ database: String, _ uuid: CollectionUUID?
    ) throws(TidemarkError) {
        switch command {
        case .modify(let name, let change):
            try on(Namespace(database, name), uuid) { (namespace) throws(TidemarkError) in
                try modify(namespace, change)
            }
        case .createIndexes(let name, let specifications):
            let place = Namespace(database, name)
            try on(place, uuid, isMaking: true) { (namespace) throws(TidemarkError) in
                catalog.addIndexes(specifications, on: namespace)
            }
        case .dropIndexes(let name, let index, let key):
            try on(Namespace(database, name), uuid) { (namespace) throws(TidemarkError) in
                if !catalog.dropIndexes(on: namespace, name: index, key: key) { count(misses: 1) }
            }
        case .convertToCapped(let name, let size):
            try on(Namespace(database, name), uuid) { (namespace) throws(TidemarkError) in
                try barrier()
                try target.convertToCapped(namespace, size: size)
                catalog.setOptions(
                    namespace, BSONDocument([("capped", .bool(true)), ("size", .int64(size))]))
            }
        case .empty(let name):
            try on(Namespace(database, name), uuid) { (namespace) throws(TidemarkError) in
                discard(namespace)
                try barrier()
                // A capped collection takes no deletions, and the server's own command for it
                // (`emptycapped`) is there for its tests alone.
                try target.drop(namespace)
                try target.create(namespace, catalog[namespace]?.options ?? .empty)
            }
        default: preconditionFailure("only commands that alter a collection come here")
        }
    }

    private func modify(_ namespace: Namespace, _ change: BSONDocument) throws(TidemarkError) {
        if let index = change["index"]?.document, !catalog.modifyIndex(on: namespace, index) {
            count(misses: 1)
        }
        // Servers of today no longer know the last two.
        let rest = change.without(["index", "noPadding", "usePowerOf2Sizes"])
        guard !rest.isEmpty else { return }
        // The granularity of a time series only grows: an earlier change is not to be made again.
        if rest["timeseries"] == nil { try flush([namespace]) } else { try barrier() }
        try target.modify(namespace, rest)
        catalog.setOptions(namespace, rest.asCreated)
    }
}

extension BSONDocument {
    /// Of a `collMod`: its options under the names that they have when a collection is made.
    var asCreated: BSONDocument {
        let names = ["cappedSize": "size", "cappedMax": "max"]
        return BSONDocument(fields.map { (names[$0.name] ?? $0.name, $0.value) })
    }
}
