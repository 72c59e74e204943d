import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Whether a change stream joins the archive: the server has to have the archive's last event.
@Suite struct ChangeJoinTests {
    @Test func `a server that was put back to an older copy begins a new timeline`() async throws {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            let opening = try use.open()
            try use.writeToMark(150)
            // It has what was written after the copy came back, and not the archive's last event.
            let known = try use.events().count
            use.double.tell(Array(events[..<(known - 20)] + events[known...]))
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("older copy") == true)
            try use.again(skips: true)
            #expect(use.opening?.start.timeline.name == opening.start.timeline.name + ".2")
            use.stream.close()
        }
    }

    @Test func `a server that was put back is found out although nothing has been written since`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            let opening = try use.open()
            try use.writeToMark(150)
            let known = try use.events().count
            use.double.tell(Array(events[..<(known - 20)]))
            let end = use.sink.position
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("older copy") == true)
            #expect(use.sink.position == end)
            try use.again(skips: true)
            #expect(use.opening?.start.timeline.name == opening.start.timeline.name + ".2")
            use.stream.close()
        }
    }

    @Test func `a server that is put back under a dead cursor is found out before it goes on`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            let known = try use.events().count
            use.double.tell(Array(events[..<(known - 20)] + events[known...]))
            use.double.killCursors()
            let end = use.sink.position
            let error = #expect(throws: TidemarkError.self) { try pull(use, times: 9) }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("older copy") == true)
            #expect(use.sink.position == end)
            use.stream.close()
        }
    }

    @Test(arguments: [(Int32(280), "ChangeStreamFatalError"), (260, "InvalidResumeToken")])
    func `an open stream whose event is missing is never gone on with`(
        code: Int32, name: String
    ) async throws {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            use.double.state.update {
                $0.failures["getMore"] = .init(code, name, "the resume token was not found")
            }
            let opened = use.double.state.read { $0.changeStreams.count }
            let error = #expect(throws: TidemarkError.self) { try pull(use, times: 3) }
            #expect(error?.code == .historyLost)
            #expect(use.double.state.read { $0.changeStreams.count } == opened)
            use.stream.close()
        }
    }

    @Test func `a newer version tells what an older one did not, and the archive goes on`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            let known = try use.events().count
            // Between the last event and the mark an index was made.
            let mark = try use.last()
            let time = try #require(mark["clusterTime"]?.timestamp)
            let made = BSONDocument([
                ("_id", .document(BSONDocument([("_data", .string("an index"))]))),
                ("operationType", .string("createIndexes")), ("clusterTime", .timestamp(time)),
            ])
            use.double.state.update { $0.version = "6.0.5" }
            use.double.tell(Array(events[..<known] + [made.bytes] + events[known...]))
            try use.again()
            use.double.writeAll()
            #expect(try use.pullAll() == 0)
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `a member that has not come to the last event yet is not believed`() async throws {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            use.double.state.update { $0.visible = 20 }
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("has not come to") == true)
            use.double.writeAll()
            try use.again()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test(arguments: [false, true])
    func `history that is lost is a gap, also where only the token's answer says so`(
        isInSession: Bool
    ) async throws {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            let opening = try use.open()
            try use.writeToMark(150)
            dropHistory(use)
            let error = #expect(throws: TidemarkError.self) {
                if isInSession {
                    use.double.killCursors()
                    try pull(use, times: 9)
                } else {
                    try use.again()
                }
            }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("minRetentionHours") == true)
            let end = use.sink.position
            try use.again(skips: true)
            #expect(use.opening?.start.timeline == opening.start.timeline)
            let behind = use.sink.position
            #expect(behind > end)
            // What is archived lies before the gap, which is not found a second time.
            try use.again()
            #expect(use.opening?.start.ordinal == behind)
            use.stream.close()
        }
    }

    @Test func `where only the last event has left the oplog, the mark's token joins`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            use.double.state.update { $0.ignoresLostTimes = true }
            use.double.truncate(keepingFrom: use.double.state.read { $0.visible - 1 })
            let before = use.double.state.read { $0.changeStreams.count }
            try use.again()
            let asked = use.double.state.read { state in
                state.changeStreams[before...].compactMap { $0["startAfter"]?.document }
            }
            let mark = try use.last()
            #expect(
                asked == [mark[ProgressMark.eventField]?.document, mark["_id"]?.document])
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `an archive of marks only joins as long as the server takes the last one's token`()
        async throws
    {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            use.double.tell([])
            let opening = try use.open()
            try use.writeToMark(150)
            #expect(try use.last()[ProgressMark.eventField] == nil)
            let end = use.sink.position
            try use.again()
            #expect(use.opening?.start.ordinal == end)
            dropHistory(use)
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .historyLost)
            #expect(error?.remedy.contains("minRetentionHours") == true)
            try use.again(skips: true)
            #expect(use.opening?.start.timeline == opening.start.timeline)
            use.stream.close()
        }
    }

    @Test func `a server that fails when it is asked by the token has not said that it is missing`()
        async throws
    {
        try await offPool {
            let (use, events) = try StreamUse.ofChanges()
            try use.open()
            try use.writeToMark(150)
            let known = try use.events().count
            use.double.tell(Array(events[..<(known - 20)] + events[known...]))
            use.double.state.update {
                $0.meanwhile["aggregate"] = { state, request in
                    let stage = request["pipeline"]?.elements?.first?.document
                    guard stage?["$changeStream"]?.document?["startAfter"] != nil else { return }
                    state.failures["getMore"] = .init(
                        11600, "InterruptedAtShutdown", "interrupted at shutdown")
                }
            }
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .sourceUnreachable)
            use.double.state.update {
                $0.meanwhile = [:]
                $0.failures = [:]
            }
            let later = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(later?.code == .historyLost)
            #expect(later?.remedy.contains("older copy") == true)
            use.stream.close()
        }
    }

    @Test func `an event is known again by its time and what it was about`() throws {
        func event(_ token: String, _ id: Int32, _ time: UInt64 = 5) -> BSONDocument {
            BSONDocument([
                ("_id", .document(BSONDocument([("_data", .string(token))]))),
                ("operationType", .string("insert")),
                ("clusterTime", .timestamp(OpTime(ordinal: time))),
                ("documentKey", .document(BSONDocument([("_id", .int32(id))]))),
            ])
        }
        let last = try #require(LastEvent(event("old", 7)))
        for (found, time, wanted) in [
            (event("old", 7), UInt64(5), true), (event("new", 7), 5, true),
            (event("new", 8), 5, nil), (event("new", 7, 6), 6, false),
        ] as [(BSONDocument, UInt64, Bool?)] {
            var search = LastEventSearch(last)
            search.take(found, at: OpTime(ordinal: time))
            #expect(search.isThere == wanted)
        }
        for (reached, majority, wanted) in [
            (5, 4, nil), (6, 4, false), (nil, 5, false), (5, nil, nil), (6, nil, false),
        ] as [(UInt64?, UInt64?, Bool?)] {
            var search = LastEventSearch(last)
            search.nothingCame(
                reached: reached.map { OpTime(ordinal: $0) },
                majority: majority.map { OpTime(ordinal: $0) })
            #expect(search.isThere == wanted)
        }
        let mark = ProgressMark.document(
            token: BSONDocument([("_data", .string("mark"))]), time: OpTime(ordinal: 9),
            wall: nil, lastEvent: last)
        #expect(LastEvent(mark: mark) == last)
    }

    /// The server has come further than its oplog reaches back, and says so only by a token.
    private func dropHistory(_ use: StreamUse) {
        use.double.state.update { $0.ignoresLostTimes = true }
        use.double.truncate(keepingFrom: 300)
        use.double.writeAll()
    }

    private func pull(_ use: StreamUse, times: Int) throws {
        let time = SystemTimeSource()
        for _ in 0..<times {
            _ = try use.stream.pull(
                until: time.monotonic().advanced(bySeconds: 0.1), into: use.sink)
        }
    }
}
