package import Model
package import Platform
import Glibc

extension PostgresServer {
    /// Connection URL; the password is that of the options, for the superuser only.
    package func url(
        user: String = "postgres", database: String = "postgres", password: String? = nil
    ) -> String {
        let secret = password ?? (user == "postgres" ? superuserPassword : nil)
        let login = secret.map { "\(user):\(percentEncoded($0))" } ?? user
        return "postgresql://\(login)@127.0.0.1:\(port)/\(database)"
    }

    private var superuserPassword: String? {
        if case .password(let password) = options.authentication { password } else { nil }
    }

    /// Runs SQL by psql, each statement by itself, and returns the rows: `|` between columns, one
    /// row a line, no line end at the end. Throws `failed` with the server's words.
    @discardableResult
    package func psql(
        _ sql: String, database: String = "postgres", user: String = "postgres",
        password: String? = nil, seconds: Double = 120
    ) throws(TidemarkError) -> String {
        let text = try run(
            options.bin + "/psql",
            [
                "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-",
                url(user: user, database: database, password: password),
            ], input: Array(sql.utf8), seconds: seconds
        ).output
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Runs a program as the server's user, with PGHOST, PGPORT, PGUSER, PGPASSWORD set; a bare
    /// name is one of Postgres's own. Throws `failed` with its errors when it does not end with 0.
    @discardableResult
    package func run(
        _ program: String, _ words: [String], input: [UInt8] = [], seconds: Double = 120
    ) throws(TidemarkError) -> CompletedProcess {
        let done = try Subprocess.run(
            program.contains("/") ? program : options.bin + "/" + program, words,
            SubprocessOptions(
                environment: environment, directory: scratch.path, user: PostgresTools.user,
                input: input), seconds: seconds)
        if !done.status.isSuccess {
            throw TidemarkError(.failed, "\(program): \(done.status): \(done.errors)\(done.output)")
        }
        return done
    }

    /// For libpq programs.
    package var environment: [String: String] {
        var values = [
            "PGHOST": "127.0.0.1", "PGPORT": String(port), "PGUSER": "postgres",
            "PGDATABASE": "postgres",
        ]
        if let superuserPassword { values["PGPASSWORD"] = superuserPassword }
        return values
    }

    /// Rereads the configuration files. Settings are in force when this returns.
    package func reload() throws(TidemarkError) {
        let asked = try psql("select pg_conf_load_time(); select pg_reload_conf()")
            .split(separator: "\n")[0]
        do {
            try eventually("the configuration is reloaded") {
                try psql("select pg_conf_load_time()") != asked
            }
        } catch {
            throw TidemarkError(.failed, "cannot reload", cause: error)
        }
    }

    /// Ends the recovery of a standby and waits until it takes writes.
    package func promote() throws(TidemarkError) {
        try run("pg_ctl", ["promote", "-w", "-D", pgData])
    }

    /// A streaming standby of this server, made by pg_basebackup and started.
    package func makeStandby(settings: [String] = []) throws(TidemarkError) -> PostgresServer {
        var options = options
        options.settings += settings
        let standby = try PostgresServer(options)
        try run(
            "pg_basebackup",
            ["-D", standby.pgData, "-R", "-X", "stream", "-c", "fast", "--no-sync"])
        try standby.appendSettings(standby.ownSettings + settings)
        try standby.start()
        return standby
    }

    /// Starts a server on a data directory that a restore made; the directory is taken as it is.
    ///
    /// - Parameter directory: owned by the server's user. It is moved into the scratch directory.
    package static func adopt(
        _ directory: String, settings: [String] = [], starts: Bool = true
    ) throws(TidemarkError) -> PostgresServer {
        let server = try PostgresServer(PostgresOptions(settings: settings))
        try server.run("/bin/mv", [directory, server.pgData])
        try server.appendSettings(server.ownSettings + settings)
        if starts { try server.start() }
        return server
    }

    /// A new directory that the server's user owns: for tablespaces, archives, restores.
    package func makeDirectory(_ name: String) throws(TidemarkError) -> String {
        try scratch.directory(name, owner: PostgresTools.user)
    }
}

/// Everything but letters and digits as `%XX`.
private func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
        let scalar = Unicode.Scalar(byte)
        if scalar.isASCII, Character(scalar).isLetter || Character(scalar).isNumber {
            return String(scalar)
        }
        return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
}
