private import CPlatform
import Model
import Glibc

/// Everything about a child process that is settled before it exists.
struct ProcessLaunch: Sendable {
    let name: String
    private let path: String
    private let arguments: [String]
    private let environment: [String]
    private let directory: String?
    private let outputFile: String?

    init(
        _ program: String, _ arguments: [String], _ options: SubprocessOptions
    ) throws(TidemarkError) {
        let path = try Self.locate(program)
        let prefix = try Self.wrapper(options)
        name = String(program.split(separator: "/").last ?? "program")
        self.path = prefix.first ?? path
        self.arguments = prefix + [path] + arguments
        environment = Self.environment(adding: options.environment)
        directory = options.directory
        outputFile = options.outputFile
    }

    /// Path of a program: `program` itself when it has a slash, else the first match in PATH.
    private static func locate(_ program: String) throws(TidemarkError) -> String {
        if program.contains("/") {
            if unsafe access(program, X_OK) == 0 { return program }
        } else {
            let search = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
            for folder in search.split(separator: ":") {
                let path = "\(folder)/\(program)"
                if unsafe access(path, X_OK) == 0 { return path }
            }
        }
        throw TidemarkError(
            .toolMissing, "cannot run \(program): there is no such program",
            remedy: "install it, or put its folder into PATH")
    }

    /// The command that changes user or sets the parent-death signal, if one is needed.
    private static func wrapper(_ options: SubprocessOptions) throws(TidemarkError) -> [String] {
        var words: [String] = []
        if let user = options.user, !user.isCurrent {
            words += ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"]
        }
        if let signal = options.signalOnParentDeath {
            words.append("--pdeathsig=\(signal.rawValue)")
        }
        return words.isEmpty ? [] : [try locate("setpriv")] + words + ["--"]
    }

    private static func environment(adding extra: [String: String]) -> [String] {
        var lines = extra.map { "\($0.key)=\($0.value)" }
        guard var entry = unsafe tm_environment() else { return lines }
        while let text = unsafe entry.pointee {
            let line = unsafe String(cString: text)
            let key = line.prefix { $0 != "=" }
            if extra[String(key)] == nil { lines.append(line) }
            unsafe entry += 1
        }
        return lines
    }
}

extension ProcessLaunch {
    /// Starts the child. Its outputs go to `output` and `errors` unless a file was asked for.
    func start(input: Int32, output: Int32, errors: Int32) throws(TidemarkError) -> Int32 {
        var file: Int32 = -1
        if let outputFile {
            file = unsafe tm_open(outputFile, O_WRONLY | O_CREAT | O_APPEND, 0o640, 0)
            if file < 0 { throw failure(errno, "cannot write \(outputFile)") }
        }
        defer { if file >= 0 { Glibc.close(file) } }
        var pid: pid_t = 0
        let status = unsafe Self.withCStrings(arguments) { argv in
            unsafe Self.withCStrings(environment) { envp in
                unsafe tm_spawn(
                    &pid, path, argv, envp, directory, input, file < 0 ? output : file,
                    file < 0 ? errors : file)
            }
        }
        if status != 0 { throw failure(status, "cannot start \(name)") }
        return pid
    }

    private func failure(_ number: Int32, _ what: String) -> TidemarkError {
        TidemarkError(
            .failed, "\(what) (\(unsafe String(cString: strerror(number))))",
            remedy: "check that \(directory ?? path) exists and this user may use it")
    }

    /// Lends a NULL-terminated array of C strings, as exec wants it.
    private static func withCStrings(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) -> Int32 {
        var pointers = unsafe strings.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
    }
}
