import CMongoC
import Model

/// libmongoc as a whole: to be started once in a process, before anything else of it.
enum Driver {
    private static let problem: String? = {
        if let problem = unsafe tm_mongoc_problem() { return unsafe String(cString: problem) }
        mongoc_init()
        // It would write its warnings, which are ours to judge, to standard error.
        mongoc_log_set_handler(nil, nil)
        return nil
    }()

    /// Throws `toolMissing`.
    static func start() throws(TidemarkError) {
        guard let problem else { return }
        throw TidemarkError(
            .toolMissing, "libmongoc cannot be loaded: \(problem)",
            remedy: "install it (Debian: apt-get install libmongoc-1.0-0)")
    }
}
