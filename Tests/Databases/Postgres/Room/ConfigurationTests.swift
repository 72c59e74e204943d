import Model
@testable import Postgres
import Testing

/// URLs: what is passed on, what is added, and that no secret ever comes back.
@Suite struct ConfigurationTests {
    private let source = SourceID("pay-ledger")!

    private func make(_ url: String, slot: String? = nil) throws -> PostgresConfiguration {
        try PostgresConfiguration(source: source, url: url, slot: slot)
    }

    @Test func `a URL is understood as libpq does`() throws {
        let made = try make("postgresql://tide%40x:p%2Fw@db:5433/app?connect_timeout=3")
        #expect(made.user == "tide@x")
        #expect(made.database == "app")
        #expect(made.place == "db:5433")
        #expect(made.slot == "tidemark_pay_ledger")
        #expect(made.applicationName == "tidemark")
        #expect(made.connectSeconds == 3)
        #expect(made.kind == .postgres)
        #expect(try make("postgres://tide@db/app").database == "app")
        #expect(try make("postgresql://tide@db/app").place == "db:5432")
    }

    @Test func `several hosts are kept in order`() throws {
        let made = try make("postgresql://tide@a:1,b:2,[::1]:3/app?target_session_attrs=read-write")
        #expect(made.place == "a:1, b:2, [::1]:3")
    }

    @Test func `our parameters come first and give way, except those that must be`() throws {
        let url = "postgresql://tide@db/app?application_name=mine&keepalives_idle=5"
        let made = try make(url)
        let list = made.parameters(.replication, nil)
        let place = try #require(list.firstIndex { $0.0 == "dbname" })
        #expect(list[place].1 == url)
        #expect(list[..<place].contains { $0 == ("application_name", "tidemark") })
        #expect(list[place...].contains { $0 == ("replication", "true") })
        #expect(made.applicationName == "mine")
        let sql = made.parameters(.sql(database: "other"), nil)
        #expect(sql.last(where: { $0.0 == "dbname" })?.1 == "other")
        #expect(sql.last(where: { $0.0 == "application_name" })?.1 == "mine probe")
        #expect(!sql.contains { $0.0 == "replication" })
    }

    @Test(arguments: [
        "postgresql://tide:s3/cret@db/app", "postgresql://tide:s3@cret@db/app",
        "postgresql://tide:s3%cret@db/app", "postgresql://tide:s3%00cret@db/app",
        "postgresql://tide:12/s3cret@db/app", "postgresql://tide:s3cret@db:port/app",
        "postgresql://tide:s3cret@db:70000/app", "postgresql://tide:s3cret@db/app?bad=1",
        "postgresql://tide:s3cret@db/app?replication=true", "mysql://tide:s3cret@db/app",
        "tide:s3cret@db", "postgresql://tide:s3cret@[::1/app", "postgresql://a?b=c@s3cret",
    ])
    func `a URL that cannot be read is refused without a piece of the password`(url: String) {
        let error = #expect(throws: TidemarkError.self) { try make(url) }
        #expect(error?.code == .configuration)
        let text = "\(String(describing: error?.message)) \(String(describing: error?.remedy))"
        for piece in ["s3", "cret"] { #expect(!text.contains(piece), "\(text)") }
    }

    @Test func `an unknown parameter is named`() {
        let error = #expect(throws: TidemarkError.self) {
            try make("postgresql://tide@db/app?sslmood=require")
        }
        #expect(error?.message.contains("sslmood") == true)
    }

    @Test func `neither the description nor a scrubbed text holds the password`() throws {
        let made = try make("postgresql://tide:s3cret@db/app")
        #expect(!"\(made)".contains("s3cret"))
        #expect(made.scrub("x s3cret y s3crets3cret") == "x *** y ******")
        #expect(try make("postgresql://tide@db/app").scrub("as it is") == "as it is")
    }

    @Test(arguments: ["Upper", "with-dash", "", String(repeating: "x", count: 64), "a b", "ä"])
    func `a name that no slot can have is refused`(name: String) {
        #expect(throws: TidemarkError.self) { try make("postgresql://tide@db/app", slot: name) }
    }

    @Test func `a host that hangs is left out of the next attempt`() {
        let list = HostList(["host": "a,b,a", "port": "1,2,3"])
        #expect(list.dropping("b", port: "2")?.description == "a:1, a:3")
        #expect(list.dropping("a", port: "3")?.description == "a:1, b:2")
        #expect(list.dropping("c", port: "1") == nil)
        let one = HostList(["host": "a,b", "port": "7"])
        let rest = one.dropping("a", port: "7")
        #expect(rest?.description == "b:7")
        #expect(rest?.dropping("b", port: "7") == nil)
        #expect(rest?.parameters.map(\.0) == ["host", "port"])
        let addresses = HostList(["hostaddr": "10.0.0.1,10.0.0.2"])
        #expect(addresses.dropping("10.0.0.1", port: "5432")?.description == "10.0.0.2:5432")
        #expect(HostList([:]).description == "local socket")
        #expect(HostList(["host": "/run/postgresql"]).description == "/run/postgresql")
        let socket = HostList(["host": "/run/postgresql", "port": "5433"])
        #expect(socket.description == "/run/postgresql (port 5433)")
    }
}
