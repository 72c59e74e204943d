import Glibc
import Platform
import Testing

@testable import Mongo

/// libmongoc as a guest of the process.
@Suite struct DriverTests {
    @Test func `its counters have no file that a killed process would leave behind`() throws {
        try Driver.start()
        let mapped = try Subprocess.run("cat", ["/proc/\(getpid())/maps"], seconds: 20).output
        #expect(mapped.contains("/libmongoc-1.0.so.0"))
        // Not by the file's name in its folder: an older process may have had this one's number.
        #expect(!mapped.contains("/dev/shm/mongoc-"))
    }
}
