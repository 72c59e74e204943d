import Model
import Testing

@testable import Daemon

/// Members that are not read: told when that begins, changes and ends.
@Suite struct PassedMembersTests {
    private let short = PassedMember(member: "db2:27017", reason: "its oplog is short")
    private let silent = PassedMember(member: "db3:27017", reason: "it did not answer")

    @Test func `each change is told once`() {
        var members = PassedMembers()
        #expect(members.change(to: []) == nil)
        #expect(members.change(to: [short]) == .init(begun: [short]))
        #expect(members.change(to: [short]) == nil)
        #expect(members.change(to: [short, silent]) == .init(begun: [silent]))
        let other = PassedMember(member: short.member, reason: silent.reason)
        #expect(members.change(to: [other, silent]) == .init(begun: [other]))
        #expect(members.change(to: [silent]) == .init(ended: [other]))
        #expect(members.change(to: []) == .init(ended: [silent]))
        #expect(members.change(to: []) == nil)
    }
}
