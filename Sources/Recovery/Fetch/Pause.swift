import Platform

/// A bounded wait for something outside this process that has no event of its own.
enum Pause {
    static func wait(seconds: Double) {
        let never = Monitor(())
        _ = never.wait(seconds: seconds) { _ in Bool?.none }
    }
}
