import Model
import Testing

@testable import Daemon

@Suite struct OptionTableTests {
    @Test func `every option stands once, and has help`() {
        let patterns = OptionTable.all.map(\.pattern)
        #expect(Set(patterns).count == patterns.count)
        for option in OptionTable.all {
            #expect(option.help.hasSuffix(".") && option.help.count < 95, "\(option.pattern)")
        }
    }

    @Test func `defaults and examples are what the options take`() throws {
        for option in OptionTable.all {
            for text in [option.defaultText, option.example].compactMap({ $0 }) {
                let filled = text.replacing("${LEDGER_PASSWORD}", with: "x")
                    .replacing("${TIDEMARK_TOKEN}", with: "a-long-token")
                #expect(throws: Never.self, "\(option.pattern)") { try option.validate(filled) }
            }
        }
    }

    @Test func `every option refuses what it is not`() {
        for option in OptionTable.all {
            #expect(throws: OptionComplaint.self, "\(option.pattern)") {
                try option.validate("\u{1} nonsense \u{1}")
            }
        }
    }
}
