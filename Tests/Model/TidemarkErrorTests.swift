import Model
import Testing

@Suite struct TidemarkErrorTests {
    /// The whole table, once more by hand: exit statuses are a contract.
    @Test(arguments: [
        (TidemarkError.Code.failed, Int32(1), false), (.cancelled, 1, false),
        (.toolMissing, 1, false), (.usage, 2, false), (.configuration, 2, false),
        (.destinationOccupied, 2, false), (.targetOutsideWindow, 3, false),
        (.targetInGap, 3, false), (.archiveDamaged, 4, false), (.archiveIncomplete, 4, false),
        (.contentConflict, 4, false), (.notFound, 4, false), (.sourceUnreachable, 5, true),
        (.sourceRefused, 5, false), (.sourceIdentityChanged, 5, false), (.historyLost, 5, false),
        (.repositoryUnreachable, 5, true), (.repositoryFull, 5, true),
        (.repositoryReadOnly, 5, false), (.objectiveBreached, 6, false),
    ])
    func `a code has its exit status and says whether a retry helps`(
        _ code: TidemarkError.Code, _ status: Int32, _ retry: Bool
    ) {
        #expect(code.exitStatus == status)
        #expect(code.isRetryable == retry)
    }

    @Test func `the table above has every code`() {
        #expect(TidemarkError.Code.allCases.count == 20)
    }

    @Test func `an error reads as message, cause and remedy in two lines`() {
        let plain = TidemarkError(.failed, "it broke")
        #expect(plain.description == "it broke")
        let cause = TidemarkError(.repositoryFull, "no space left", remedy: "free some")
        #expect(cause.description == "no space left\nfree some")
        let outer = TidemarkError(.failed, "cannot seal A", cause: cause)
        #expect(outer.description == "cannot seal A: no space left\nfree some")
        let advised = TidemarkError(.failed, "cannot seal A", remedy: "ask", cause: cause)
        #expect(advised.description == "cannot seal A: no space left\nask")
        struct Odd: Error, CustomStringConvertible { var description: String { "odd" } }
        #expect(TidemarkError(.failed, "no", cause: Odd()).description == "no: odd")
    }

    @Test func `the place is the line that made it, and never printed`() {
        let error = TidemarkError(.failed, "it broke", remedy: "mend it")
        #expect(error.place.hasPrefix("ModelTests/TidemarkErrorTests.swift:"))
        #expect(!error.description.contains("swift"))
    }
}
