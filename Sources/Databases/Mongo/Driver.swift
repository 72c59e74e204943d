import CMongoC

/// libmongoc as a whole: to be started once in a process, before anything else of it.
enum Driver {
    private static let isStarted: Bool = {
        mongoc_init()
        // It would write its warnings, which are ours to judge, to standard error.
        mongoc_log_set_handler(nil, nil)
        return true
    }()

    static func start() { precondition(isStarted, "libmongoc starts") }
}
