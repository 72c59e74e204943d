/// The server's notices during a base backup, sorted: damage is kept with the backup, the rest is
/// worth one line. Pure.
///
/// A server whose Unix socket lies in its data directory says "skipping special file" of it, and
/// twice, since it walks the directory once for the size and once for the content (`sendDir`,
/// basebackup.c). Sockets, pipes and devices hold no data, so a copy without them is whole. The
/// words may be translated; the name of a socket is not.
struct BackupNotices {
    private(set) var warnings: [String] = []
    private(set) var remarks: [String] = []

    init(_ notices: [String]) {
        for notice in notices {
            if notice.contains("/.s.PGSQL.") || notice.hasPrefix("skipping special file") {
                if !remarks.contains(notice) { remarks.append(notice) }
            } else if !warnings.contains(notice) {
                warnings.append(notice)
            }
        }
    }
}
