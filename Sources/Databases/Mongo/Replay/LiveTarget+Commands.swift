import Model

// Commands of a replay, as a server of today takes them.
extension LiveTarget {
    func create(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        if HeldUsers.isPlace(namespace) { return }
        var place = namespace
        var wanted = options
        if let series = NamespacePolicy.timeSeries(of: namespace) {
            // The server makes the buckets itself, with their validator and clustered index.
            place = series
            wanted = options.without(["validator", "clusteredIndex", "validationLevel"])
        }
        var writer = BSONWriter()
        writer.append("create", .string(place.collection))
        for field in wanted.fields where field.name != "autoIndexId" {
            writer.append(field.name, field.value)
        }
        // NamespaceExists.
        try run(writer.finish(), on: place.database, tolerating: [48])
    }

    func drop(_ namespace: Namespace) throws(TidemarkError) {
        if HeldUsers.isPlace(namespace) { return users.empty(namespace) }
        let place = NamespacePolicy.timeSeries(of: namespace) ?? namespace
        // NamespaceNotFound.
        try run(
            BSONDocument([("drop", .string(place.collection))]), on: place.database,
            tolerating: [26])
    }

    func dropDatabase(_ name: String) throws(TidemarkError) {
        try run(BSONDocument([("dropDatabase", .int32(1))]), on: name)
    }

    func modify(_ namespace: Namespace, _ change: BSONDocument) throws(TidemarkError) {
        let place = NamespacePolicy.timeSeries(of: namespace) ?? namespace
        var writer = BSONWriter()
        writer.append("collMod", .string(place.collection))
        for field in change.fields { writer.append(field.name, field.value) }
        try run(writer.finish(), on: place.database)
    }

    func convertToCapped(_ namespace: Namespace, size: Int64) throws(TidemarkError) {
        try run(
            BSONDocument([
                ("convertToCapped", .string(namespace.collection)), ("size", .int64(size)),
            ]), on: namespace.database)
    }

    func createView(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        var writer = BSONWriter()
        writer.append("create", .string(namespace.collection))
        for field in options.fields { writer.append(field.name, field.value) }
        try run(writer.finish(), on: namespace.database, tolerating: [48])
    }
}
