import Glibc

/// The project's own files, found from the place of this one.
enum SourceTree {
    /// Ends in `/`.
    static let root: String = {
        let here = #filePath
        guard let tests = here.ranges(of: "Tests/Tidy/").last else { return "./" }
        return String(here[..<tests.lowerBound])
    }()

    /// Every file of Sources and Tests, and the manifest.
    static let swift: [SourceFile] =
        files(["Sources", "Tests"], suffix: ".swift") + ["Package.swift"].map(read)

    static var sources: [SourceFile] { swift.filter { $0.path.hasPrefix("Sources/") } }

    /// Everything that is text and the project's own.
    static let texts: [SourceFile] =
        swift + files(["Sources", "Tests"], suffix: ".h")
        + files(["Sources", "Tests"], suffix: ".c")
        + files(["Documentation", "Sources", "Benchmarks", "Fixtures"], suffix: ".md")
        + files(["Scripts", "Benchmarks", ".ci", "Deploy"], suffix: "").filter {
            !$0.path.hasSuffix(".md")
        }
        + names("").filter { $0.hasSuffix(".md") || $0.hasSuffix(".yml") }.map(read)

    static func exists(_ path: String) -> Bool { access(root + path, F_OK) == 0 }

    /// Names in a folder of the project, sorted, without hidden ones.
    static func names(_ folder: String) -> [String] {
        guard let directory = opendir(root + folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func files(_ folders: [String], suffix: String) -> [SourceFile] {
        folders.flatMap { folder in
            names(folder).flatMap { name -> [SourceFile] in
                let path = "\(folder)/\(name)"
                if isFolder(path) { return files([path], suffix: suffix) }
                return name.hasSuffix(suffix) ? [read(path)] : []
            }
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(root + path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Empty when it is not UTF-8 text.
    private static func read(_ path: String) -> SourceFile {
        var bytes: [UInt8] = []
        let descriptor = open(root + path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count <= 0 { break }
            bytes += piece[..<count]
        }
        return SourceFile(path: path, text: String(validating: bytes, as: UTF8.self) ?? "")
    }
}
