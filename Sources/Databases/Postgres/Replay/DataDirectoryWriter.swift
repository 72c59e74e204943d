private import Platform
import Glibc
import Model

/// Writes the members of one tar into a folder, checking each against Postgres's manifest.
///
/// `global/pg_control` is written under another name: without it no server starts, so whatever
/// interrupts the restore leaves a copy that cannot be taken for a whole one.
final class DataDirectoryWriter: TarSink {
    static let heldBack = "global/pg_control"
    static let heldBackName = "global/pg_control.tidemark"

    /// Files of the running original, or of a standby, that mean something else in a copy.
    private static let left: Set<String> = [
        "postmaster.pid", "postmaster.opts", "recovery.signal", "standby.signal",
        "recovery.conf", "backup_manifest",
    ]

    private static let writebackBytes: UInt64 = 4 << 20

    private let root: String
    /// What the manifest's paths have before the tar's: `pg_tblspc/16385/` for a tablespace.
    private let prefix: String
    private let manifest: BackupManifest?
    /// Content of members that are changed before they are written, by path.
    private(set) var kept: [String: [UInt8]] = [:]
    /// Members that were found, of those the manifest names.
    private(set) var checked = 0

    private var path = ""
    private var file: Int32 = -1
    /// Bytes written to `file`, and how many of them the kernel was told to bring to the disk.
    private var written: UInt64 = 0
    private var started: UInt64 = 0
    private var member: TarMember?
    private var crc = CRC32C()

    init(root: String, prefix: String, manifest: BackupManifest?) {
        self.root = root
        self.prefix = prefix
        self.manifest = manifest
    }

    deinit { if file >= 0 { Glibc.close(file) } }

    func begin(_ member: TarMember) throws(TidemarkError) {
        self.member = member
        crc = CRC32C()
        switch member.kind {
        case .directory:
            try CopyFiles.makeFolder(member.path.isEmpty ? root : root + "/" + member.path)
        case .link:
            // The links of pg_tblspc: recovery makes them anew from tablespace_map.
            break
        case .other:
            throw TidemarkError(
                .archiveDamaged, "\(member.path) in the base backup is neither file nor folder",
                remedy: "restore from another base backup (`tidemark list`)")
        case .file:
            try open(member.path)
        }
    }

    private func open(_ name: String) throws(TidemarkError) {
        if name == "tablespace_map", prefix.isEmpty {
            kept[name] = []
        } else if !(prefix.isEmpty && Self.left.contains(name)) {
            path = root + "/" + (name == Self.heldBack && prefix.isEmpty ? Self.heldBackName : name)
            file = try CopyFiles.create(path)
            (written, started) = (0, 0)
        }
    }

    func content(_ bytes: RawSpan) throws(TidemarkError) {
        guard let member else { preconditionFailure("content comes after a member") }
        crc.update(bytes)
        if file >= 0 {
            try CopyFiles.write(file, bytes, path)
            startWriteback(after: UInt64(bytes.byteCount))
        } else if kept[member.path] != nil {
            unsafe bytes.withUnsafeBytes { unsafe kept[member.path]?.append(contentsOf: $0) }
        }
    }

    /// Large files go to the disk while the next ones are decompressed, so the restore's last sync
    /// has little left to wait for. Small ones are left to that sync, which puts them in order.
    private func startWriteback(after count: UInt64) {
        written += count
        guard written - started >= Self.writebackBytes else { return }
        Writeback.start(file, at: started, written - started)
        started = written
    }

    func end() throws(TidemarkError) {
        guard let member else { preconditionFailure("an end comes after a member") }
        if file >= 0 {
            let status = Glibc.close(file)
            file = -1
            if status != 0 { throw CopyFiles.failure("cannot write \(path)") }
        }
        self.member = nil
        guard member.kind == .file, let entry = manifest?.entries[prefix + member.path] else {
            return
        }
        checked += 1
        guard entry.bytes == member.size, entry.crc32c == nil || entry.crc32c == crc.value else {
            throw TidemarkError(
                .archiveDamaged,
                "\(prefix + member.path) in the base backup is not what its manifest says",
                remedy: "restore from another base backup (`tidemark list`)")
        }
    }
}
