import Model
import Testing

@testable import Daemon

@Suite struct MarkOutcomeTests {
    private let ledger = SourceID("ledger")!
    private let shop = SourceID("shop")!
    private let away = TidemarkError(
        .sourceUnreachable, "MongoDB at db:27017 does not answer",
        remedy: "Tidemark tries again by itself")

    @Test func `all that have the point is no error`() {
        var outcome = MarkOutcome("monday")
        outcome.marked(ledger)
        outcome.marked(shop)
        #expect(outcome.error == nil)
    }

    @Test func `half of it says who has the point, who has not, and why`() throws {
        var outcome = MarkOutcome("monday")
        outcome.failed(shop, away)
        outcome.marked(ledger)
        let error = try #require(outcome.error)
        #expect(error.code == .sourceUnreachable)
        #expect(
            error.message == "shop has no restore point monday, ledger has it: "
                + "shop: MongoDB at db:27017 does not answer")
        #expect(error.remedy.contains("point:monday restores ledger alone (--source ledger)"))
        #expect(error.remedy.contains("another name"))
        #expect(!error.remedy.contains("by itself"))
    }

    @Test func `no source at all, and a statement that helps stays`() throws {
        var outcome = MarkOutcome("monday")
        outcome.failed(
            ledger, TidemarkError(.sourceRefused, "it may not", remedy: "GRANT EXECUTE"))
        let error = try #require(outcome.error)
        #expect(error.code == .sourceRefused && error.remedy == "GRANT EXECUTE")
        #expect(error.message == "no source has the restore point monday: ledger: it may not")
    }

    @Test func `one that is not reached before anything is written promises no second try`() {
        let error = MarkOutcome.refused(shop, away)
        #expect(error.message == "no source was marked: shop: MongoDB at db:27017 does not answer")
        #expect(error.code == .sourceUnreachable && !error.remedy.contains("by itself"))
    }

    @Test func `a mark of a source that is away says that it cannot be reached, in two lines`() {
        let reason = "cannot connect to Redis at db:6379 (Connection refused)\nsee whether it runs"
        let refused = MarkOperation.closed(SourceID("cache")!, reason)
        #expect(refused.code.exitStatus == 5)
        #expect(
            refused.message.hasSuffix(
                "not open: cannot connect to Redis at db:6379 (Connection refused)"))
        #expect(refused.description.split(separator: "\n").count == 2)
    }
}
