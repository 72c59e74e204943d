import Model
import Platform
import TestKit
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(3)))
struct LiveFeedTests {
    private static let request = "GET /api/live HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `a listener gets a document for each that is published, as one event`()
        async throws
    {
        let feed = LiveFeed()
        try await withServer(feed: feed) { port in
            #expect(!feed.isWanted)
            let page = try LoopbackConnection(port)
            page.send(Self.request)
            let head = try page.receive(seconds: 60) { $0.contains("retry: 2000\n\n") }
            #expect(head.lowercased().contains("content-type: text/event-stream"), "\(head)")
            try eventually("the listener is known") { feed.isWanted }
            try feed.publish(SampleStatus.document())
            let event = try page.receive(seconds: 60) { $0.contains("\"}\n\n") }
            let lines = event.split(separator: "\n").filter { $0.contains(":") }
            #expect(lines.contains { $0.contains("\"repository\"") })
            try feed.publish(SampleStatus.document([SampleStatus.source(state: .stalled)]))
            let next = try page.receive(seconds: 60) { $0.contains("\"}\n\n") }
            #expect(next.contains("\"stalled\""))
        }
    }

    @Test func `who leaves is forgotten, and who does not read costs nothing`() async throws {
        let feed = LiveFeed()
        try await withServer(feed: feed) { port in
            var pages: [LoopbackConnection] = []
            for _ in 0..<20 {
                let page = try LoopbackConnection(port)
                page.send(Self.request)
                pages.append(page)
            }
            try eventually("they listen") { feed.listeners == 20 }
            let big = SampleStatus.document(
                (0..<50).map { SampleStatus.source("s\($0)", reason: "why") })
            let before = ProcessUse.now().residentBytes ?? 0
            for _ in 0..<100 { try feed.publish(big) }
            let grown = Int64(ProcessUse.now().residentBytes ?? 0) - Int64(before)
            // The tests beside this one need some as well.
            #expect(grown < 100 << 20, "grown by \(grown) bytes")
            pages.removeAll()
            try eventually("they are forgotten") {
                try feed.publish(SampleStatus.document())
                return feed.listeners == 0
            }
        }
    }

    @Test func `there is a limit, and the end ends every answer`() async throws {
        let feed = LiveFeed()
        try await withServer(feed: feed) { port in
            var pages: [LoopbackConnection] = []
            for _ in 0..<LiveFeed.limit {
                let page = try LoopbackConnection(port)
                page.send(Self.request)
                _ = try page.receive(seconds: 60) { $0.contains("retry") }
                pages.append(page)
            }
            let refused = try LoopbackHTTP.get(port, "/api/live")
            #expect(refused.status == 503)
            #expect(refused.body.contains("too many pages listen already"))
            feed.finish()
            for page in pages.prefix(3) {
                _ = try page.receive(seconds: 60) { $0.contains("0\r\n\r\n") }
            }
            #expect(!feed.isWanted)
        }
    }

    @Test func `a document that cannot be written is an error, and ends no listener`() async throws
    {
        let feed = LiveFeed()
        try await withServer(feed: feed) { port in
            let page = try LoopbackConnection(port)
            page.send(Self.request)
            try eventually("the listener is known") { feed.isWanted }
            let error = #expect(throws: TidemarkError.self) {
                // JSON has no such number.
                try feed.publish(["exposure_seconds": Double.infinity])
            }
            #expect(error?.message.contains("as JSON") == true)
            try feed.publish(["exposure_seconds": 0.5])
            _ = try page.receive(seconds: 60) {
                $0.contains("data: {\"exposure_seconds\":0.5}\n\n")
            }
        }
    }
}
