import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Sets of several members, of which one lacks history that others have: it is not lost.
@Suite struct MemberHistoryTests {
    /// A set of doubles with the same content, the primary first.
    private struct DoubleSet {
        let members: [MongoDouble]
        let use: StreamUse
        let entries: [[UInt8]]
        let events: [[UInt8]]

        init(
            _ count: Int, mode: String, time: any TimeSource = SystemTimeSource()
        ) throws {
            let fixture = try MongoFixture("shop")
            let (entries, events) = (try fixture.oplog(), try fixture.changes())
            let members = try (0..<count).map { _ in
                let double = try MongoDouble(entries: entries, visible: 1)
                double.tell(events)
                return double
            }
            MongoDouble.join(members)
            self.members = members
            self.entries = entries
            self.events = events
            use = try StreamUse(
                members[0], options: "replicaSet=rs0&mode=" + mode, time: time)
        }

        func write(_ count: Int) { for member in members { member.write(count) } }

        func pullAll() throws { #expect(try use.pullAll() == 0) }

        /// What the archive has to hold in the end.
        func all(_ mode: String) -> [[UInt8]] {
            mode == "oplog" ? Array(entries.dropFirst()) : events
        }
    }

    @Test(arguments: ["oplog", "changeStream"], [2, 3])
    func `a member with a short oplog loses nothing that the primary has`(
        mode: String, count: Int
    ) async throws {
        try await offPool {
            let set = try DoubleSet(count, mode: mode)
            let opening = try set.use.open()
            set.write(100)
            try set.pullAll()
            for member in set.members.dropFirst() { member.truncate(keepingFrom: 300) }
            set.write(1000)
            let end = set.use.sink.position
            #expect(set.use.stream.passedOver.isEmpty)
            for skips in [false, true] {
                try set.use.again(skips: skips)
                let passed = set.use.stream.passedOver
                let place = passed.first?.member ?? ""
                #expect(set.members.dropFirst().contains { place.hasSuffix(":\($0.port)") })
                #expect(passed.map(\.reason) == [MemberSearch.Answer.truncated.reason])
                #expect(set.use.sink.position == end)
                #expect(set.use.opening?.start.timeline == opening.start.timeline)
            }
            try set.pullAll()
            #expect(try set.use.events() == set.all(mode))
            set.use.stream.close()
        }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `a secondary has what neither the primary nor another secondary has any more`(
        mode: String
    ) async throws {
        try await offPool {
            let set = try DoubleSet(3, mode: mode)
            try set.use.open()
            set.write(100)
            try set.pullAll()
            for member in set.members.dropLast() { member.truncate(keepingFrom: 300) }
            set.write(1000)
            try set.use.again()
            try set.pullAll()
            #expect(try set.use.events() == set.all(mode))
            set.use.stream.close()
        }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `a stream whose member falls off goes on with the primary in the same session`(
        mode: String
    ) async throws {
        try await offPool {
            let set = try DoubleSet(2, mode: mode)
            try set.use.open()
            set.write(100)
            try set.pullAll()
            set.members[1].truncate(keepingFrom: 300)
            set.write(1000)
            try set.pullAll()
            #expect(try set.use.events() == set.all(mode))
            set.use.stream.close()
        }
    }

    /// The machine's clocks, some seconds on.
    private final class LaterTime: TimeSource {
        private let system = SystemTimeSource()
        let seconds = Monitor(0.0)

        var boot: String { system.boot }
        func monotonic() -> MonotonicTime {
            system.monotonic().advanced(bySeconds: seconds.read { $0 })
        }
        func wall() -> CommitTime { system.wall().advanced(bySeconds: seconds.read { $0 }) }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `a member that stands still is left, and nothing is lost or told twice by that`(
        mode: String
    ) async throws {
        try await offPool {
            let time = LaterTime()
            let set = try DoubleSet(3, mode: mode, time: time)
            try set.use.open()
            set.write(100)
            try set.pullAll()
            // The secondaries get nothing more.
            set.members[0].write(1000)
            let place = set.use.sink.position
            let inspector = set.use.room.inspector()
            defer { inspector.close() }
            let pull = { () throws in
                let wait = time.monotonic().advanced(bySeconds: 0.2)
                _ = try set.use.stream.pull(until: wait, into: set.use.sink)
            }
            try pull()
            time.seconds.update { $0 += 100 }
            // Nobody has said yet that there is more.
            try pull()
            #expect(try inspector.probe().bound > place)
            try pull()
            time.seconds.update { $0 += 14 }
            try pull()
            #expect(set.use.sink.position == place && set.use.stream.passedOver.isEmpty)
            time.seconds.update { $0 += 2 }
            try pull()
            let passed = set.use.stream.passedOver
            #expect(passed.contains { $0.reason == "it has stopped following its set" })
            let stream = set.use.stream
            try eventually("the primary's entries come", seconds: 60) {
                try pull()
                return set.use.sink.position >= set.members[0].state.read { $0.majority.ordinal }
            }
            #expect(set.use.stream === stream)
            #expect(try set.use.events() == set.all(mode))
            set.use.stream.close()
        }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `what nobody has is lost, and the most that anybody has is kept`(
        mode: String
    ) async throws {
        try await offPool {
            let set = try DoubleSet(3, mode: mode)
            try set.use.open()
            set.write(100)
            try set.pullAll()
            for (member, first) in zip(set.members, [300, 200, 250]) {
                member.truncate(keepingFrom: first)
            }
            set.write(1000)
            let error = #expect(throws: TidemarkError.self) { try set.use.again() }
            #expect(error?.code == .historyLost, "\(String(describing: error))")
            try set.use.again(skips: true)
            let oldest = try #require(BSONDocument(set.entries[200])["ts"]?.timestamp)
            let start = OpTime(ordinal: set.use.sink.position)
            if mode == "oplog" {
                #expect(start.ordinal == oldest.ordinal - 1)
            } else {
                #expect(start.seconds <= oldest.seconds + 1)
            }
            try set.pullAll()
            #expect(try set.use.events().suffix(20) == set.all(mode).suffix(20))
            set.use.stream.close()
        }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `without a primary a member that lacks history is waited with`(
        mode: String
    ) async throws {
        try await offPool {
            let set = try DoubleSet(2, mode: mode)
            try set.use.open()
            set.write(100)
            try set.pullAll()
            set.members[1].truncate(keepingFrom: 300)
            set.write(1000)
            set.members[0].stop()
            let secondary = try StreamUse(
                set.members[1], options: "replicaSet=rs0&mode=" + mode)
            let resume = try set.use.resume()
            let error = #expect(throws: TidemarkError.self) {
                try secondary.stream.open(resume)
            }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("there is no primary") == true)
            // Talked to directly, it decides by itself.
            let direct = try StreamUse(set.members[1], options: "mode=" + mode)
            let lost = #expect(throws: TidemarkError.self) { try direct.stream.open(resume) }
            #expect(lost?.code == .historyLost)
        }
    }

    @Test(arguments: ["oplog", "changeStream"])
    func `a member that lags behind the archive is passed over, and all are waited for`(
        mode: String
    ) async throws {
        try await offPool {
            let set = try DoubleSet(2, mode: mode)
            try set.use.open()
            // The archive ends with an event, so that it can be looked for.
            set.write(1)
            while !set.members[0].state.read({ state in
                state.events.contains { $0.ts == state.newest }
            }) || set.members[0].state.read({ $0.visible }) < 100 { set.write(1) }
            try set.pullAll()
            set.members[1].state.update { $0.lag = 60 }
            try set.use.again()
            let lagging = PassedMember(
                member: "127.0.0.1:\(set.members[1].port)",
                reason: "it has not come to the archive's end yet")
            #expect(set.use.stream.passedOver == [lagging])
            set.members[0].state.update { $0.lag = 60 }
            let error = #expect(throws: TidemarkError.self) { try set.use.again() }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("has not come to") == true, "\(error?.message ?? "")")
            for member in set.members { member.state.update { $0.lag = 0 } }
            try set.use.again()
            #expect(set.use.stream.passedOver.isEmpty)
            set.write(1000)
            try set.pullAll()
            #expect(try set.use.events() == set.all(mode))
            set.use.stream.close()
        }
    }

    @Test func `a secondary that does not answer is passed over`() async throws {
        try await offPool {
            let set = try DoubleSet(3, mode: "oplog")
            try set.use.open()
            set.write(100)
            try set.pullAll()
            set.members[2].stop()
            try set.use.again()
            let gone = PassedMember(
                member: "127.0.0.1:\(set.members[2].port)", reason: "it did not answer")
            #expect(set.use.stream.passedOver == [gone])
            set.use.stream.close()
            #expect(set.use.stream.passedOver.isEmpty)
        }
    }

    @Test func `what falls off between two questions is in the gap too`() async throws {
        try await offPool {
            let set = try DoubleSet(1, mode: "oplog")
            try set.use.open()
            set.write(100)
            try set.pullAll()
            set.write(1000)
            let double = set.members[0]
            double.truncate(keepingFrom: 300)
            double.state.update {
                $0.meanwhile["find"] = { state, request in
                    if request["tailable"] != nil { state.first = max(state.first, 320) }
                }
            }
            try set.use.again(skips: true)
            let first = try #require(BSONDocument(set.entries[320])["ts"]?.timestamp)
            #expect(set.use.sink.position == first.ordinal - 1)
            try set.pullAll()
            #expect(try set.use.events() == Array(set.entries[1...100] + set.entries[320...]))
            set.use.stream.close()
        }
    }

    @Test func `a router asks the shards' primaries before history is lost`() async throws {
        try await offPool {
            let set = try DoubleSet(1, mode: "changeStream")
            let double = set.members[0]
            double.state.update(MongoDoubleState.makeRouter)
            let use = try StreamUse(double, options: "mode=changeStream")
            try use.open()
            try pull(use, set, 100)
            // Shards' secondaries no longer have it.
            double.state.update {
                $0.meanwhile["aggregate"] = { state, request in
                    let mode = request["$readPreference"]?.document?["mode"]?.string
                    state.failures["aggregate"] =
                        mode == "secondaryPreferred"
                        ? .init(286, "ChangeStreamHistoryLost", "not in the oplog") : nil
                }
            }
            let end = use.sink.position
            try use.again()
            #expect(use.sink.position == end)
            try pull(use, set, 1000)
            use.stream.close()
        }
    }

    /// Writes, and pulls what a router can know to be complete.
    private func pull(_ use: StreamUse, _ set: DoubleSet, _ count: Int) throws {
        set.write(count)
        let end = set.members[0].state.read { $0.majority }
        let told = try set.events.filter {
            try BSONDocument($0)["clusterTime"]?.timestamp ?? .zero < end
        }
        let time = SystemTimeSource()
        try eventually("all events before \(end) have come", seconds: 60) {
            _ = try use.stream.pull(
                until: time.monotonic().advanced(bySeconds: 0.2), into: use.sink)
            return try use.events().count >= told.count
        }
        #expect(try use.events() == told)
    }
}
