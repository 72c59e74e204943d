import ArgumentParser
import Model
import Testing

@testable import tidemark

@Suite struct ErrorReportTests {
    private func report(_ error: any Error, _ arguments: String...) -> ErrorReport {
        ErrorReport(error, arguments)
    }

    @Test(arguments: TidemarkError.Code.allCases)
    func `every code has its status, and 126 for wal fetch`(code: TidemarkError.Code) {
        let error = TidemarkError(code, "it went wrong", remedy: "do better")
        #expect(report(error, "status").status == code.exitStatus)
        #expect(report(error, "status").message == "tidemark: it went wrong\ndo better")
        #expect(report(error, "wal", "fetch", "a", "b").status == 126)
        #expect(report(error, "wal", "push", "a").status == code.exitStatus)
    }

    @Test func `the proved end of the archive stays 1`() {
        #expect(report(ExitCode(1), "wal", "fetch", "a", "b").status == 1)
        #expect(report(ExitCode(2), "wal", "fetch", "a", "b").status == 126)
        #expect(report(ExitCode(1), "check").message.isEmpty)
    }

    @Test func `the status of success is never made a failure`() {
        #expect(report(CleanExit.message("x"), "wal", "fetch").status == 0)
        #expect(report(CleanExit.message("x"), "status").output == "x")
    }
}
