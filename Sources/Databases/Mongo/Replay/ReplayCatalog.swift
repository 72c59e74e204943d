/// The collections of the copy, as the replay has made them so far: names, options, and the
/// indexes that are built in the end.
package struct ReplayCatalog: Sendable {
    package struct Collection: Sendable {
        package var uuid: CollectionUUID?
        /// As `create` takes them.
        package var options: BSONDocument
        /// With that of `_id`.
        package var indexes: [BSONDocument]
        /// A server drops these when it starts.
        package var isTemporary = false

        package init(uuid: CollectionUUID?, options: BSONDocument, indexes: [BSONDocument]) {
            self.uuid = uuid
            self.options = options
            self.indexes = indexes
        }

        var isCapped: Bool { options["capped"]?.isTrue == true }
    }

    package private(set) var collections: [Namespace: Collection] = [:]
    /// `viewOn` and `pipeline`.
    package private(set) var views: [Namespace: BSONDocument] = [:]
    private var names: [CollectionUUID: Namespace] = [:]

    package init() {}

    package subscript(_ namespace: Namespace) -> Collection? { collections[namespace] }

    func name(of uuid: CollectionUUID) -> Namespace? { names[uuid] }

    package mutating func add(_ namespace: Namespace, _ collection: Collection) {
        remove(namespace)
        collections[namespace] = collection
        if let uuid = collection.uuid { names[uuid] = namespace }
    }

    mutating func remove(_ namespace: Namespace) {
        if let uuid = collections.removeValue(forKey: namespace)?.uuid { names[uuid] = nil }
    }

    mutating func rename(_ from: Namespace, to: Namespace, staysTemporary: Bool) {
        guard var collection = collections[from] else { return }
        remove(from)
        collection.isTemporary = collection.isTemporary && staysTemporary
        add(to, collection)
    }

    package mutating func setView(_ namespace: Namespace, _ options: BSONDocument?) {
        views[namespace] = options
    }

    /// Namespaces of one database, views not among them.
    func inside(_ database: String) -> [Namespace] {
        collections.keys.filter { $0.isOf(database) }.sorted()
    }

    // MARK: options and indexes

    mutating func setOptions(_ namespace: Namespace, _ change: BSONDocument) {
        guard var collection = collections[namespace] else { return }
        for field in change.fields {
            var value = field.value
            // What is not named of a time series stays.
            if field.name == "timeseries", let more = value.document,
                let old = collection.options[field.name]?.document
            {
                value = .document(more.fields.reduce(old) { $0.setting($1.name, $1.value) })
            }
            collection.options = collection.options.setting(field.name, value)
        }
        collections[namespace] = collection
    }

    /// An index of the same name takes the place of the old one.
    mutating func addIndexes(_ specifications: [BSONDocument], on namespace: Namespace) {
        for specification in specifications {
            let plain = specification.without(["ns"])
            let name = plain["name"]
            collections[namespace]?.indexes.removeAll { $0["name"] == name }
            collections[namespace]?.indexes.append(plain)
        }
    }

    /// Returns whether there was one.
    mutating func dropIndexes(
        on namespace: Namespace, name: String?, key: BSONDocument?
    ) -> Bool {
        guard let old = collections[namespace]?.indexes else { return false }
        let kept = old.filter { index in
            if index.isOfID { return true }
            if let name { return !(name == "*" || index["name"] == .string(name)) }
            return index["key"]?.document != key
        }
        collections[namespace]?.indexes = kept
        return kept.count < old.count || name == "*"
    }

    /// `{name | keyPattern, expireAfterSeconds, hidden, unique, prepareUnique}` of a `collMod`.
    mutating func modifyIndex(on namespace: Namespace, _ change: BSONDocument) -> Bool {
        let place = collections[namespace]?.indexes.firstIndex { index in
            if let name = change["name"] { return index["name"] == name }
            return index["key"]?.document == change["keyPattern"]?.document
        }
        guard let place else { return false }
        for field in change.fields where !["name", "keyPattern"].contains(field.name) {
            let old = collections[namespace]!.indexes[place]
            // What is not hidden, and not unique, says nothing of it.
            let isOff =
                ["hidden", "unique", "prepareUnique"].contains(field.name)
                && !field.value.isTrue
            collections[namespace]!.indexes[place] =
                isOff ? old.without([field.name]) : old.setting(field.name, field.value)
        }
        return true
    }
}

extension BSONDocument {
    /// Of an index: the one that every collection has.
    var isOfID: Bool {
        guard let key = self["key"]?.document?.fields, key.count == 1 else { return false }
        return key[0].name == "_id" && key[0].value.integer == 1
    }
}
