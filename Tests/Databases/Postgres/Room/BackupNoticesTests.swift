@testable import Postgres
import Testing

struct BackupNoticesTests {
    @Test func `a socket is told once and not kept, damage is kept`() {
        let socket = "skipping special file \"./.s.PGSQL.5432\""
        let german = "Sonderdatei »./.s.PGSQL.5432.lock« wird ausgelassen"
        let damage = "checksum verification failed in file \"./base/5/2619\", block 3"
        let notices = BackupNotices([socket, german, damage, socket, german, damage])
        #expect(notices.remarks == [socket, german])
        #expect(notices.warnings == [damage])
    }
}
