import FoundationEssentials
import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

/// What the sidecar says over HTTP while it archives a real server.
@Suite(.serialized, .timeLimit(.minutes(8)))
struct SidecarMonitoringTests {
    @Test func `a commit is shown as archived within a second and a half`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create table t (i int)")
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            let body = try watched.waitHealth(200)
            #expect(body.contains("\"status\" : \"ok\""))
            #expect(try watched.get("/health/ready").status == 200)
            // The median: tests beside this one may hold up one or the other.
            var delays: [Double] = []
            for number in 0..<10 {
                try server.psql("insert into t values (\(number))")
                let began = SocketWait.now()
                let end = try #require(
                    LSN.parse(try server.psql("select pg_current_wal_flush_lsn()")))
                try eventually("it is archived", seconds: 10) {
                    try watched.metric("tidemark_archived_position") ?? 0 >= Double(end)
                }
                delays.append(SocketWait.now() - began)
            }
            #expect(delays.sorted()[delays.count / 2] < 1.5, "\(delays)")
            #expect(try watched.metric("tidemark_received_bytes_total") ?? 0 > 1000)
            #expect(try watched.metric("tidemark_flush_duration_seconds_count") ?? 0 > 5)
            #expect(try watched.metric("tidemark_probe_age_seconds") ?? 99 < 3)
            #expect(try watched.metric("tidemark_repository_bytes") ?? 0 > 1000)
            let metrics = try watched.get("/metrics").body
            let promtool = try Subprocess.run(
                "/usr/bin/promtool", ["check", "metrics"],
                SubprocessOptions(input: Array(metrics.utf8)), seconds: 60)
            #expect(promtool.status.isSuccess && promtool.output + promtool.errors == "")
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }

    @Test func `a killed server is told within five seconds, with its reason`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            try server.kill9()
            let began = SocketWait.now()
            let body = try watched.waitHealth(503, seconds: 20)
            #expect(SocketWait.now() - began < 5)
            #expect(body.contains("ledger: "), "\(body.prefix(400))")
            let state = try watched.status()
            #expect(state.state == "connecting" || state.state == "stalled")
            try eventually("the reason names the server", seconds: 10) {
                let reason = try watched.status().reason
                return reason.contains("connect") || reason.contains("closed")
                    || reason.contains("connection")
            }
            try server.start()
            try watched.waitHealth(200)
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }

    @Test func `a breach is shown within a second, called out within two, and taken back`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let receiver = try HTTPReceiver()
            let silent = try HTTPReceiver()
            silent.fallSilent(true)
            receiver.answer([503])
            let watched = try MonitoredSidecar(
                server, rpo: "3s",
                lines: [
                    "alerts:", "  - { webhook: \"http://127.0.0.1:\(silent.port)/secret-hook\" }",
                    "  - { webhook: \"http://127.0.0.1:\(receiver.port)/secret-hook\", "
                        + "on: [breached] }",
                ])
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            let last = try #require(try watched.status().restorableTo)
            try server.kill9()
            // By what the answers say themselves: how often a busy machine lets us ask is no matter.
            var hidden = 0.0
            let shown = try eventually("the breach is shown", seconds: 20) { () -> String? in
                let body = try watched.get("/api/status").body
                let status = try StatusReport.first(of: body)
                if status.objective == "breached" { return body }
                hidden = max(hidden, status.exposureSeconds ?? .infinity)
                return nil
            }
            let when = SocketWait.now()
            let status = try StatusReport.first(of: shown)
            #expect((status.exposureSeconds ?? 0) > 3)
            #expect(hidden < 4, "shown late")
            #expect((status.restorableTo ?? "") >= last)
            try eventually("it was called out twice: 503 at first", seconds: 10) {
                receiver.received.count == 2
            }
            let first = try #require(receiver.received.first)
            #expect(first.at - when < 2, "\(first.at - when) s")
            #expect(first.body.contains("\"event\" : \"breached\""), "\(first.body)")
            #expect(first.body.contains("\"step\" : \"raised\""))
            try server.start()
            try eventually("it was taken back", seconds: 60) {
                receiver.received.last?.body.contains("\"recovered\"") == true
            }
            #expect(receiver.received.count == 3)
            #expect(try watched.metric("tidemark_exposure_seconds") ?? 99 < 3)
            try watched.side.waitProved(watched.side.moment())
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
            #expect(sidecar.log.contains("alert sent"))
            #expect(!sidecar.log.contains("secret-hook"), "\(sidecar.log)")
        }
    }

    @Test func `a port that is taken stops nothing, and is served once it is free`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let taken = try LoopbackListener(watched.port)
            let before = try watched.side.expect(0, ["check"])
            #expect(before.contains("another program listens there"), "\(before)")
            let sidecar = try watched.side.startWithBackup()
            try sidecar.waitForLog("cannot listen on 127.0.0.1:\(watched.port): another program")
            #expect(sidecar.log.contains("goes on without"))
            #expect(sidecar.log.contains("monitoring.listen"))
            try watched.side.waitProved(watched.side.moment())
            taken.close()
            try watched.waitHealth(200, seconds: 30)
            // Now it is the sidecar that listens there.
            let during = try watched.side.expect(0, ["check"])
            #expect(!during.contains("listens there"), "\(during)")
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }

    @Test func `asked to end twice while clients come in, it ends in good order once`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            let isOver = Monitor(false)
            let crowd = DedicatedThread<Void>("test-crowd") {
                while !isOver.read({ $0 }) { _ = try? LoopbackConnection(watched.port) }
            }
            poll(nil, 0, 300)
            for _ in 0..<3 {
                sidecar.process.signal(SIGTERM)
                sidecar.process.signal(SIGINT)
            }
            #expect(try sidecar.terminate(seconds: 20).isSuccess, "\(sidecar.log.suffix(800))")
            isOver.update { $0 = true }
            try crowd.join()
            #expect(!sidecar.log.contains("atal error"), "\(sidecar.log.suffix(800))")
        }
    }

    @Test func `a token, TLS and slow clients hold up neither the start nor the end`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let folder = try server.makeDirectory("tls")
            try server.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    folder + "/key.pem", "-out", folder + "/cert.pem",
                ])
            let watched = try MonitoredSidecar(
                server,
                more: ", token: \"correct-horse\", certificate: \"\(folder)/cert.pem\", "
                    + "key: \"\(folder)/key.pem\"")
            let sidecar = try watched.side.startWithBackup()
            let script = """
                import ssl, sys, urllib.request
                context = ssl.create_default_context(cafile=sys.argv[1])
                for token in sys.argv[3:]:
                    request = urllib.request.Request(sys.argv[2] + "/metrics")
                    request.add_header("Authorization", "Bearer " + token)
                    try:
                        print(urllib.request.urlopen(request, context=context, timeout=10).status)
                    except urllib.error.HTTPError as error:
                        print(error.code)
                """
            let asked = try server.run(
                "/usr/bin/python3",
                [
                    "-c", script, folder + "/cert.pem", "https://localhost:\(watched.port)",
                    "correct-horse", "wrong",
                ])
            #expect(asked.output == "200\n401\n", "\(asked.errors)")
            var slow: [LoopbackConnection] = []
            for _ in 0..<10 { slow.append(try LoopbackConnection(watched.port)) }
            slow.first?.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
            #expect(!sidecar.log.contains("correct-horse"))
            try server.run("/bin/rm", [folder + "/key.pem"])
            let text = try watched.side.expect(2, ["run"])
            #expect(text.contains("monitoring.key: \(folder)/key.pem cannot be used"), "\(text)")
        }
    }

    @Test func `history outlives the process, and a second sidecar shows all of it as well`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            var sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            try server.psql("create table t as select generate_series(1, 10000)")
            try watched.side.waitProved(watched.side.moment())
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
            let files = try server.run(
                "/bin/sh", ["-c", "cat \"$0\"/ledger/history/*.csv", watched.side.archive]
            ).output
            #expect(files.hasPrefix("time,exposure_seconds,archived_bytes\n20"), "\(files)")
            sidecar = try watched.side.start()
            try watched.waitHealth(200)
            let body = try eventually("the history is loaded") { () -> String? in
                let body = try watched.get("/api/history?hours=1").body
                return body.contains("\"exposure_seconds\":") ? body : nil
            }
            #expect(body.hasPrefix("{\"step_seconds\":60,\"sources\":[{\"name\":\"ledger\""))
            for query in ["0", "2161", "-1", "x", "", "1.5", "99999999999999999999"] {
                let answer = try watched.get("/api/history?hours=\(query)")
                #expect(answer.status == 400, "\(query): \(answer.status)")
                #expect(answer.body.contains("from 1 to 2160"))
            }
            #expect(try watched.get("/api/history").status == 200)

            // Another one waits for its turn, and shows what the first writes down.
            let second = try MonitoredSidecar(server, name: "second")
            let folder = watched.side.archive
            try server.run(
                "/bin/sed", ["-i", "s|file://[^\"]*|file://\(folder)|", second.side.config])
            let standby = try second.side.start()
            try second.waitHealth(200)
            try server.psql("insert into t select generate_series(1, 200000)")
            for _ in 0..<20 {
                let status = try second.status()
                #expect(status.exposureSeconds != nil && status.state == "streaming", "\(status)")
                _ = try server.psql("insert into t values (1); select pg_sleep(0.2)")
            }
            sidecar.kill9()
            try standby.waitForLog("stream opened", seconds: 30)
            try second.waitHealth(200)
            #expect(try standby.terminate(seconds: 10).isSuccess)
            try watched.side.expect(0, ["verify", "--deep"])
        }
    }
}
