import Glibc
import Model
import Platform

/// Becomes the owner of the copy. A database server refuses to run as root, and must own its files.
enum Privileges {
    /// As root: makes the missing folders of every destination for the user, then becomes that user
    /// for good, before anything else is written. All of them have the same user. Returns who may
    /// still write to the archive; nil where that is whoever restores.
    static func settle(_ requests: [CopyRequest]) throws(TidemarkError) -> ArchiveOwner? {
        guard let first = requests.first else { return nil }
        precondition(requests.allSatisfy { $0.user == first.user }, "a restore has one user")
        guard let user = try owner(first) else {
            guard UserIdentity.isRoot else { return nil }
            throw TidemarkError(
                .usage, "restore runs as root, but the restored server must not",
                remedy: "name the owner of the copy: --user postgres")
        }
        for request in requests {
            for folder in [request.destination] + request.relocations.values.sorted() {
                try makeFolder(folder, for: user)
            }
        }
        let owner = ArchiveOwner(first.repositoryFolder, besides: user)
        try become(user, keeping: owner)
        return owner
    }

    /// The user to become, when that is another than now.
    private static func owner(_ request: CopyRequest) throws(TidemarkError) -> UserIdentity? {
        guard let name = request.user else { return nil }
        let user = try UserIdentity(named: name)
        guard UserIdentity.isRoot else {
            if user.isCurrent { return nil }
            throw TidemarkError(
                .usage, "only root can restore for another user (\(name))",
                remedy: "run the restore as root, or as \(name) without --user")
        }
        guard user.uid != 0 else {
            throw TidemarkError(
                .usage, "the owner of a restored copy cannot be root",
                remedy: "name an ordinary user: --user postgres")
        }
        return user
    }

    /// Refuses an owner who could not write the copy, or whose server could not read the archive
    /// while it recovers. Writes nothing.
    static func check(_ request: CopyRequest) throws(TidemarkError) {
        let user = try owner(request)
        // Without a name nobody is meant yet; root may do everything and tells nothing.
        if user == nil, UserIdentity.isRoot { return }
        for place in [request.destination] + request.relocations.values.sorted() {
            try checkWritable(place, user)
        }
        if let user, let repository = request.repositoryFolder {
            try checkReadable(repository, request.source, user)
        }
    }

    /// Prints the first file of a repository that it may not read.
    private static let unreadable = """
        if [ ! -r "$0/tidemark.json" ]; then echo "$0/tidemark.json"; exit; fi
        find "$0/$1" \\( ! -readable -o -type d ! -executable \\) -print -quit 2>/dev/null
        """

    private static func checkReadable(
        _ repository: String, _ source: SourceID, _ user: UserIdentity
    ) throws(TidemarkError) {
        let done = try Subprocess.run(
            "/bin/sh", ["-c", unreadable, repository, source.name],
            SubprocessOptions(directory: "/", user: user), seconds: 300)
        guard let file = done.output.split(separator: "\n").first else { return }
        throw TidemarkError(
            .usage,
            "\(user.name) cannot read \(file), and the restore, and a restored server that fetches "
                + "from the archive, read it as that user",
            remedy: readingRemedy(repository, user))
    }

    /// A group that reads the archive is joined, not replaced: others restore by it.
    private static func readingRemedy(_ repository: String, _ user: UserIdentity) -> String {
        let modes = "chmod -R g+rX \(repository); find \(repository) -type d -exec chmod g+s {} +"
        var facts = stat()
        if unsafe stat(repository, &facts) == 0, facts.st_mode & 0o050 == 0o050,
            facts.st_gid != 0, let entry = unsafe getgrgid(facts.st_gid),
            let name = unsafe entry.pointee.gr_name
        {
            let group = unsafe String(cString: name)
            return "let \(user.name) read it by the group that does already (usermod -aG \(group) "
                + "\(user.name); chgrp -R \(group) \(repository); \(modes)), or name the user that "
                + "runs the sidecar with --user"
        }
        return "let a group of \(user.name) read the repository, now and in future "
            + "(chgrp -R \(user.name) \(repository); \(modes)), or name the user that runs the "
            + "sidecar with --user"
    }

    private static func checkWritable(
        _ place: String, _ user: UserIdentity?
    ) throws(TidemarkError) {
        var nearest = place
        while unsafe access(nearest, F_OK) != 0, errno == ENOENT, nearest != "/" {
            nearest = Directory.parent(nearest)
        }
        let isMade = nearest != place
        if unsafe access(nearest, W_OK | X_OK) != 0 {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .usage, "cannot write to \(nearest): \(reason)",
                remedy: "choose another destination with --into, or run the restore as root with "
                    + "--user")
        }
        guard let user else { return }
        // Missing folders are made by root; what exists must be the user's to write.
        let test = isMade ? ["-x", nearest] : ["-w", nearest, "-a", "-x", nearest]
        let done = try Subprocess.run(
            "/usr/bin/test", test, SubprocessOptions(directory: "/", user: user), seconds: 30)
        if done.status.isSuccess { return }
        throw TidemarkError(
            .usage, "\(user.name) cannot \(isMade ? "enter" : "write to") \(nearest)",
            remedy: "choose another destination with --into, or give \(user.name) access to it")
    }

    private static func makeFolder(
        _ path: String, for user: UserIdentity
    ) throws(TidemarkError) {
        if unsafe access(path, F_OK) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]), for: user)
        }
        guard unsafe mkdir(path, 0o700) == 0, unsafe chown(path, user.uid, user.gid) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .failed, "cannot make the folder \(path) for \(user.name): \(reason)",
                remedy: "choose another destination with --into")
        }
    }

    /// The C library changes every thread of the process. The archive's owner stays the saved user,
    /// which programs that are started do not inherit.
    private static func become(
        _ user: UserIdentity, keeping owner: ArchiveOwner?
    ) throws(TidemarkError) {
        let (saved, group) = (owner?.uid ?? user.uid, owner?.gid ?? user.gid)
        guard unsafe initgroups(user.name, user.gid) == 0, setregid(user.gid, group) == 0,
            setegid(user.gid) == 0, setreuid(user.uid, saved) == 0, seteuid(user.uid) == 0,
            getuid() == user.uid, geteuid() == user.uid
        else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .failed, "cannot become \(user.name): \(reason)",
                remedy: "run the restore as \(user.name) itself")
        }
        // The old working directory may be closed to the user, and the server inherits it.
        _ = unsafe chdir("/")
    }
}
