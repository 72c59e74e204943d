package import Model
import Platform

/// A replica set of three real mongods, which choose a new primary within about two seconds.
///
/// Every call blocks: use it inside `offPool`.
package final class MongodSet: Sendable {
    package let members: [MongodServer]

    /// Makes an empty set and waits until it has a primary and two secondaries.
    ///
    /// - Parameter settings: further ones of the set's configuration, as Python.
    package init(settings: String = "") throws(TidemarkError) {
        let options = MongodServer.Options(initiates: false)
        // One after the other would take three times as long.
        let threads = (0..<3).map { number in
            DedicatedThread("mongod \(number)") { () throws(TidemarkError) -> MongodServer in
                try MongodServer.start(options)
            }
        }
        var members: [MongodServer] = []
        for thread in threads { members.append(try thread.join()) }
        self.members = members
        let hosts = members.map { "127.0.0.1:\($0.port)" }
        try members[0].run(
            """
            members = [{"_id": n, "host": h} for n, h in enumerate(\(hosts))]
            settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500, \(settings)}
            client.admin.command("replSetInitiate",
                {"_id": "rs0", "members": members, "settings": settings})
            """)
        try waitWhole()
    }

    /// Of all members.
    package var url: String {
        "mongodb://" + members.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
            + "/?replicaSet=rs0"
    }

    /// Runs a Python script with pymongo; `client` finds the primary of the set.
    @discardableResult
    package func python(
        _ script: String, seconds: Double = 120
    ) throws(TidemarkError) -> String {
        try SecantusServer.python(script, url: url, seconds: seconds)
    }

    /// Waits until all three are members in full.
    package func waitWhole() throws(TidemarkError) {
        try python(
            """
            import time
            from pymongo.errors import PyMongoError
            end = time.monotonic() + 60
            while True:
                try:
                    told = client.admin.command("replSetGetStatus")
                    if sorted(m["state"] for m in told["members"]) == [1, 2, 2]: break
                except PyMongoError as error: told = error
                if time.monotonic() > end: raise Exception("the set is not whole: %s" % told)
                time.sleep(0.05)
            """)
    }

    /// Waits until one is the primary by the word of a majority; which.
    package func primary() throws(TidemarkError) -> MongodServer {
        let told = try python(
            """
            import time
            from pymongo.errors import PyMongoError
            end = time.monotonic() + 60
            while True:
                try:
                    told = client.admin.command("isMaster")
                    client.tests.primaries.with_options(
                        write_concern=pymongo.WriteConcern("majority", wtimeout=20000)
                    ).insert_one({"at": told["me"]})
                    break
                except PyMongoError as error: told = error
                if time.monotonic() > end: raise Exception("there is no primary: %s" % told)
                time.sleep(0.05)
            print(told["me"])
            """)
        guard let found = members.first(where: { told.hasSuffix(":\($0.port)") }) else {
            throw TidemarkError(.failed, "no member of this set is at \(told)")
        }
        return found
    }
}
