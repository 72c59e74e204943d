import Glibc
import Platform
import Testing

@testable import Mongo

/// libmongoc as a guest of the process.
@Suite struct DriverTests {
    @Test func `its counters leave no file that a killed process would not remove`() throws {
        try Driver.start()
        #expect(access("/dev/shm/mongoc-\(getpid())", F_OK) != 0)
    }
}
