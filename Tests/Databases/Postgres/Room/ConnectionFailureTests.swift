import Model
@testable import Postgres
import Testing

/// The table from refusals to messages with remedies.
@Suite struct ConnectionFailureTests {
    private func context(replication: Bool = true) -> ConnectionFailure.Context {
        ConnectionFailure.Context(
            place: "db:5432", user: "Tide", database: "app", slot: "tidemark_x",
            isReplication: replication)
    }

    private func error(
        _ state: String, _ message: String, replication: Bool = true
    ) -> TidemarkError {
        ConnectionFailure(state: state, message: message).error(context(replication: replication))
    }

    @Test func `the code is found in libpq's text in any language`() {
        let english = """
            connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  28P01: password \
            authentication failed for user "tide"
            LOCATION:  auth_failed, auth.c:338
            """
        let found = ConnectionFailure(connectionText: english)
        #expect(found.state == "28P01")
        #expect(found.message == "password authentication failed for user \"tide\"")
        let german = "Verbindung … Fehler: FATAL:  57P03: das Datenbanksystem startet gerade\n"
        #expect(ConnectionFailure(connectionText: german).state == "57P03")
        let refused =
            "connection to server at \"db\", port 5432 failed: Connection refused\n\tIs it?"
        let own = ConnectionFailure(connectionText: refused)
        #expect(own.state == "")
        #expect(own.message.hasSuffix("Connection refused; Is it?"))
    }

    @Test func `with several hosts the last refusal counts`() {
        let text = """
            connection to server at "a", port 1 failed: Connection refused
            connection to server at "b", port 2 failed: FATAL:  3D000: database "x" does not exist
            """
        #expect(ConnectionFailure(connectionText: text).state == "3D000")
    }

    @Test(arguments: [
        ("28P01", "x", TidemarkError.Code.sourceRefused, "ALTER ROLE \"Tide\" PASSWORD"),
        ("42501", "x", .sourceRefused, "ALTER ROLE \"Tide\" REPLICATION"),
        ("3D000", "x", .sourceRefused, "/postgres"),
        ("53300", "… max_wal_senders (currently 7)", .sourceUnreachable, "max_wal_senders = 12"),
        ("53300", "… max_wal_senders (currently 0)", .sourceRefused, "wal_level = 'replica'"),
        ("53300", "sorry, too many clients", .sourceUnreachable, "max_connections"),
        ("53400", "all replication slots are in use", .sourceRefused, "pg_drop_replication_slot"),
        ("55006", "slot \"s9\" is active for PID 321", .sourceUnreachable, "backend(321)"),
        ("42704", "x", .sourceUnreachable, "created again"),
        ("55000", "… wal_level >= replica", .sourceRefused, "wal_level = 'replica'"),
        ("55000", "… max_replication_slots > 0", .sourceRefused, "max_replication_slots = 10"),
        ("55000", "can no longer access replication slot", .historyLost, "max_slot_wal_keep_size"),
        ("58P01", "removed", .historyLost, "max_slot_wal_keep_size"),
        ("57P03", "starting up", .sourceUnreachable, "by itself"),
        ("57P01", "terminating", .sourceUnreachable, "by itself"),
        ("08006", "x", .sourceUnreachable, "log"),
        ("22023", "x", .sourceRefused, "log"),
        ("", "Connection refused", .sourceUnreachable, "start the server"),
        ("", "fe_sendauth: no password supplied", .sourceRefused, "passfile"),
        ("", "could not translate host name", .sourceUnreachable, "host"),
        ("", "SSL error: certificate verify failed", .sourceRefused, "sslrootcert"),
        ("", "SSL SYSCALL error: EOF detected", .sourceUnreachable, "start the server"),
        ("", "session is read-only", .sourceUnreachable, "promote"),
    ])
    func `each refusal has its code and its remedy`(
        state: String, message: String, code: TidemarkError.Code, remedy: String
    ) {
        let error = error(state, message)
        #expect(error.code == code)
        #expect(error.remedy.contains(remedy), "\(error.remedy)")
        #expect(error.message.first?.isLowercase == true || error.message.hasPrefix("Postgres"))
        #expect(!error.message.hasSuffix("."))
    }

    @Test(arguments: [
        ("no pg_hba.conf entry for host \"10.1.2.3\", user \"t\"", "host app \"Tide\" 10.1.2.3/32"),
        ("no pg_hba.conf entry for host \"fe80::1\", user \"t\"", "host app \"Tide\" fe80::1/128"),
        ("no pg_hba.conf entry for host \"[local]\", user \"t\"", "local app \"Tide\" scram"),
        ("kein pg_hba.conf-Eintrag für Host »10.1.2.3«, Benutzer »t«", "10.1.2.3/32"),
    ])
    func `the missing line of pg_hba conf is written out`(message: String, line: String) {
        #expect(error("28000", message, replication: false).remedy.contains(line))
        let replication = error("28000", "no pg_hba.conf entry for host \"10.1.2.3\"").remedy
        #expect(replication.contains("host replication \"Tide\" 10.1.2.3/32 scram-sha-256"))
    }

    @Test func `a role that does not exist is to be created`() {
        #expect(
            error("28000", "role does not exist").remedy.hasPrefix("CREATE ROLE \"Tide\" LOGIN"))
        #expect(error("42501", "x", replication: false).remedy.contains("GRANT CONNECT"))
    }

    @Test func `names and literals are quoted`() {
        #expect(SQL.name("plain_1") == "plain_1")
        #expect(SQL.name("1st") == "\"1st\"")
        #expect(SQL.name("a\"b") == "\"a\"\"b\"")
        #expect(SQL.quoted("plain") == "\"plain\"")
        #expect(SQL.literal("it's") == "'it''s'")
        #expect(SQL.literal("a\0b") == "'ab'")
    }

    @Test func `cells are read by type, and NULL is nothing`() {
        let rows = ConnectionRows([["7", "0/10", "t", "\\x00fF", nil, "x"]])
        #expect(rows.number(0, 0, as: UInt32.self) == 7)
        #expect(rows.lsn(0, 1) == 16)
        #expect(rows.flag(0, 2) == true)
        #expect(rows.binary(0, 3) == [0, 255])
        #expect(rows.text(0, 4) == nil)
        #expect(rows.text(1, 0) == nil)
        #expect(rows.text(0, 6) == nil)
        #expect(rows.number(0, 5, as: Int.self) == nil)
        #expect(rows.binary(0, 5) == nil)
        #expect(rows.flag(0, 5) == nil)
    }
}
