import Model
import Platform
import TestKit
import Testing

/// A server that takes nobody without TLS and a client certificate.
@Suite(.timeLimit(.minutes(5)))
struct SidecarTLSTests {
    /// Certificates of one authority for the server `localhost` and the role `tide`, and the rules.
    private func secured() throws -> (server: PostgresServer, folder: String) {
        let server = try PostgresServer.start()
        let folder = try server.makeDirectory("tls")
        let script = """
            set -e; cd "$0"; exec 2> openssl.log
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority \
                -keyout ca.key -out ca.crt
            make() {
                openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
                printf '%s' "subjectAltName=DNS:$2" > "$1.ext"
                openssl x509 -req -days 2 -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial \
                    -extfile "$1.ext" -out "$1.crt"
                chmod 600 "$1.key"
            }
            make server localhost; make client tide
            """
        try server.run("/bin/sh", ["-c", script, folder])
        try server.psql(
            """
            create role tide login replication; grant pg_monitor to tide;
            grant execute on function pg_create_restore_point(text) to tide;
            """)
        try server.appendSettings([
            "ssl = on", "ssl_cert_file = '\(folder)/server.crt'",
            "ssl_key_file = '\(folder)/server.key'", "ssl_ca_file = '\(folder)/ca.crt'",
        ])
        try server.setHBA([
            "hostssl replication tide 127.0.0.1/32 cert", "hostssl all tide 127.0.0.1/32 cert",
            "host all postgres 127.0.0.1/32 trust",
        ])
        try server.restart()
        return (server, folder)
    }

    @Test func `stream, questions and base backup all come with verify-full and a certificate`()
        async throws
    {
        try await offPool {
            let (server, folder) = try secured()
            let plain =
                "postgresql://tide@localhost:\(server.port)/postgres"
                + "?sslmode=verify-full&sslrootcert=\(folder)/ca.crt"
            let url = plain + "&sslcert=\(folder)/client.crt&sslkey=\(folder)/client.key"
            let side = try SidecarHarness(server, url: url)
            let sidecar = try side.startWithBackup()
            try server.psql("create table t as select 7 as i")
            try side.waitProved(side.moment())
            let kinds = try server.psql(
                """
                select backend_type = 'walsender', bool_and(ssl and client_dn = '/CN=tide')
                from pg_stat_activity join pg_stat_ssl using (pid)
                where usename = 'tide' group by 1 order by 1
                """)
            #expect(kinds == "f|t\nt|t")
            try side.expect(0, ["check"])
            try side.expect(0, ["backup"])
            try side.expect(0, ["mark", "here"])
            #expect(try sidecar.terminate().isSuccess)

            let unknown = try SidecarHarness(server, url: plain, name: "unknown")
            let refused = try unknown.expect(5, ["check"])
            #expect(refused.contains("certificate"), "\(refused)")
            // Another authority's word counts for nothing.
            let other = url.split(separator: "ca.crt").joined(separator: "server.crt")
            let stranger = try SidecarHarness(server, url: other, name: "stranger")
            let distrusted = try stranger.expect(5, ["check"])
            #expect(distrusted.contains("certificate"), "\(distrusted)")
        }
    }
}
