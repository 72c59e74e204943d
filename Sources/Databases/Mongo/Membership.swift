import Model

/// Whether a server is one that can be archived; what is said when it is not.
enum Membership {
    static func check(
        _ hello: Hello, _ configuration: MongoConfiguration
    ) throws(TidemarkError) {
        let place = "MongoDB at \(configuration.place)"
        if hello.isRouter {
            guard configuration.mode == .oplog else { return }
            throw TidemarkError(
                .sourceRefused,
                "\(place) is the router of a sharded cluster, which has no oplog",
                remedy: "leave mode=oplog out of the source's url: then change streams are read; "
                    + "or archive each shard's replica set under a name of its own")
        }
        guard !hello.isUninitiated else {
            throw TidemarkError(
                .sourceRefused, "\(place) is of a replica set that was not initiated yet",
                remedy: "run `rs.initiate()` in its shell; one member is enough")
        }
        guard let setName = hello.setName else {
            throw TidemarkError(
                .sourceRefused, "\(place) is a standalone server, which has no oplog",
                remedy: "start it with `--replSet rs0` (or `replication.replSetName: rs0` in "
                    + "mongod.conf) and run `rs.initiate()`; one member is enough")
        }
        if hello.isArbiter {
            throw TidemarkError(
                .sourceRefused, "\(place) is an arbiter, which has no data",
                remedy: "give the address of another member of \(setName)")
        }
        if let wanted = configuration.setName, wanted != setName {
            throw TidemarkError(
                .sourceRefused,
                "\(place) belongs to replica set \(setName), the source's url says \(wanted)",
                remedy: "write replicaSet=\(setName), or correct the address")
        }
    }
}
