import Model

/// The files and chunks of one bucket (`<bucket>.files`, `<bucket>.chunks`) in a base backup.
struct GridFSBucket: Sendable {
    private(set) var files: [GridFSFile] = []
    private(set) var chunks: [BSONValue: GridFSChunks] = [:]
    /// Files that were written or deleted while the base backup was read.
    private(set) var touched: Set<BSONValue> = []
    /// Why nothing can be said of it; nil while something can.
    private(set) var obstacle: String?
    /// Which of the two collections are read to their end.
    private var read: Set<String> = []

    /// Findings that are told one by one.
    private static let told = 20

    mutating func add(_ file: GridFSFile) { files.append(file) }

    mutating func add(_ found: [BSONValue: GridFSChunks]) { chunks = found }

    mutating func finish(_ kind: String) { read.insert(kind) }

    mutating func touch(_ file: BSONValue) { touched.insert(Self.key(file)) }

    mutating func stop(_ why: String) { obstacle = obstacle ?? why }

    /// Numbers are the same file whatever their type.
    static func key(_ id: BSONValue) -> BSONValue { id.integer.map { .int64($0) } ?? id }

    /// - Parameters:
    ///   - kinds: the collections that the bucket has, `files` and perhaps `chunks`.
    ///   - mayRepeat: see `GridFSFile.faults`.
    func findings(
        _ name: Namespace, _ backup: BaseBackupDescriptor, kinds: Set<String>, mayRepeat: Bool
    ) -> [BaseBackupFinding] {
        let place = "base backup \(backup.id)"
        // Damage is told where it is.
        guard read.isSuperset(of: kinds) else { return [] }
        if let obstacle {
            return files.isEmpty
                ? []
                : [unchecked("the \(files.count) GridFS files of \(name) in \(place)", obstacle)]
        }
        var findings: [BaseBackupFinding] = []
        var faulty = 0
        var open = 0
        for file in files {
            if touched.contains(Self.key(file.id)) {
                open += 1
                continue
            }
            let faults = file.faults(
                chunks[Self.key(file.id)] ?? GridFSChunks(), mayRepeat: mayRepeat)
            guard !faults.isEmpty else { continue }
            faulty += 1
            if faulty > Self.told { continue }
            findings.append(
                incomplete(
                    "GridFS file \(Self.text(file)) of \(name) is not whole in \(place): "
                        + faults.joined(separator: "; "), backup))
        }
        if faulty > Self.told {
            findings.append(
                incomplete(
                    "\(faulty - Self.told) more GridFS files of \(name) are not whole in \(place)",
                    backup))
        }
        if open > 0 {
            findings.append(
                unchecked(
                    "\(open) GridFS files of \(name) in \(place)",
                    "they were written or deleted while it was read"))
        }
        return findings
    }

    private func incomplete(_ what: String, _ backup: BaseBackupDescriptor) -> BaseBackupFinding {
        BaseBackupFinding(
            .incomplete, what,
            remedy: "its checksum is right, so the server had no more: look at the file there; if "
                + "it was whole before, `tidemark list` names older base backups to restore from")
    }

    private func unchecked(_ what: String, _ why: String) -> BaseBackupFinding {
        BaseBackupFinding(
            .unchecked, "\(what) could not be checked, since \(why)",
            remedy: "nothing needs to be done; a restore replays what was written then")
    }

    private static func text(_ file: GridFSFile) -> String {
        let id = BSONDocument([("_id", file.id)]).text(limit: 100)
        return file.name.map { "\"\($0)\" \(id)" } ?? id
    }
}
