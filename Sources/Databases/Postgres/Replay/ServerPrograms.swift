import Glibc
import Model
import Platform

/// The folder with the programs of one major version: `pg_ctl`, `postgres`, `pg_controldata`.
struct ServerPrograms: Sendable {
    let folder: String

    var control: String { folder + "/pg_ctl" }

    /// Looks in the folders given, then in PATH, then where Debian puts them.
    static func find(
        major: String, folders: [String]
    ) throws(TidemarkError) -> ServerPrograms {
        let search = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let usual =
            search.split(separator: ":").map(String.init)
            + ["/usr/lib/postgresql/\(major)/bin", "/usr/pgsql-\(major)/bin"]
        var others: [String] = []
        for folder in folders.isEmpty ? usual : folders {
            let programs = ServerPrograms(folder: folder)
            guard unsafe access(programs.control, X_OK) == 0 else { continue }
            let version = try programs.major()
            if version == major { return programs.resolved }
            others.append("\(folder) has version \(version)")
        }
        let found = others.isEmpty ? "" : " (\(others.joined(separator: ", ")))"
        throw TidemarkError(
            .toolMissing, "pg_ctl of Postgres \(major) is not installed here\(found)",
            remedy: "install it (Debian: apt-get install postgresql-\(major)) or name its folder "
                + "with --pg-bin")
    }

    /// Where the programs really lie: beside a link to pg_ctl are neither libraries nor pg_config.
    private var resolved: ServerPrograms {
        guard let path = unsafe realpath(control, nil) else { return self }
        defer { unsafe free(path) }
        let real = unsafe String(cString: path)
        guard let slash = real.lastIndex(of: "/") else { return self }
        return ServerPrograms(folder: String(real[..<slash]))
    }

    private func major() throws(TidemarkError) -> String {
        let version = try version() ?? "unknown"
        return version.first?.isNumber == true ? String(version.prefix { $0.isNumber }) : version
    }

    /// `pg_ctl (PostgreSQL) 15.20 (Debian …)` gives `15.20`.
    private func version() throws(TidemarkError) -> String? {
        let done = try Subprocess.run(control, ["--version"], seconds: 30)
        let words = done.output.split { $0 == " " || $0 == "\n" }
        guard let mark = words.firstIndex(of: "(PostgreSQL)"), mark + 1 < words.count else {
            return nil
        }
        return String(words[mark + 1])
    }

    /// What to say where this server's minor version is older than the source's: a library that was
    /// built for the newer one may use what this one lacks, and not load (TimescaleDB built for
    /// 15.20 does not on 15.18). Nil where it is not, and where no library is needed.
    func minorWarning(_ server: ServerFacts) throws(TidemarkError) -> String? {
        let needsLibraries =
            server.settings["shared_preload_libraries"]?.isEmpty == false
            || server.extensions.keys.contains { !$0.hasSuffix("/plpgsql") }
        guard needsLibraries, let recorded = UInt(server.version), let version = try version()
        else { return nil }
        // `15.20` is 150020 (`PG_VERSION_NUM`); a beta has no point.
        let parts = version.split(separator: ".").map { UInt($0.prefix { $0.isNumber }) ?? 0 }
        guard parts.count == 2, parts[0] == recorded / 10_000, parts[1] < recorded % 10_000
        else { return nil }
        let wanted = "\(recorded / 10_000).\(recorded % 10_000)"
        return "\(folder) has Postgres \(version), the source had \(wanted): a library built for "
            + "the newer one may not load (TimescaleDB); install \(wanted) or later here"
    }

    /// Where the server looks for loadable libraries.
    func libraryFolder() throws(TidemarkError) -> String? {
        let tool = folder + "/pg_config"
        if unsafe access(tool, X_OK) == 0 {
            let done = try Subprocess.run(tool, ["--pkglibdir"], seconds: 30)
            let path = done.output.split(separator: "\n").first.map(String.init) ?? ""
            if path.hasPrefix("/") { return path }
        }
        let root = folder.split(separator: "/").dropLast().joined(separator: "/")
        for path in ["/\(root)/lib", "/\(root)/lib/postgresql"]
        where unsafe access(path + "/plpgsql.so", F_OK) == 0 { return path }
        return nil
    }

    /// Libraries that the copy's databases need and that are not installed here.
    ///
    /// TimescaleDB's loader takes the library of exactly the version the database was made with;
    /// without it every answer over compressed data is silently short.
    func missingLibraries(_ server: ServerFacts) throws(TidemarkError) -> [String] {
        guard let folder = try libraryFolder() else { return [] }
        var wanted: Set<String> = []
        for library in (server.settings["shared_preload_libraries"] ?? "").split(separator: ",") {
            let name = library.filter { $0 != " " && $0 != "\"" }
            if !name.isEmpty, !name.contains("/") { wanted.insert(String(name)) }
        }
        for (key, version) in server.extensions where key.hasSuffix("/timescaledb") {
            wanted.formUnion(["timescaledb", "timescaledb-\(version)"])
        }
        let path = Self.libraryPath(server.settings["dynamic_library_path"], folder)
        return wanted.filter { name in
            !path.contains { unsafe access("\($0)/\(name).so", F_OK) == 0 }
        }.map { "\(folder)/\($0).so" }.sorted()
    }

    /// The folders of `dynamic_library_path`, as `find_in_dynamic_libpath` (dfmgr.c) reads it.
    private static func libraryPath(_ setting: String?, _ folder: String) -> [String] {
        (setting ?? "$libdir").split(separator: ":").map { part in
            part.hasPrefix("$libdir") ? folder + part.dropFirst("$libdir".count) : String(part)
        }
    }
}
