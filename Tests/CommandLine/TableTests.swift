import Testing

@testable import tidemark

@Suite struct TableTests {
    @Test func `columns are aligned and lines have no blanks at their ends`() {
        var table = Table(("NAME", .left), ("SIZE", .right), ("NOTE", .left))
        table.add("ledger", "7", "")
        table.add("a", "1234", "grün")
        #expect(
            table.text() == """
                NAME    SIZE  NOTE
                ledger     7
                a       1234  grün

                """)
    }

    @Test func `a style does not disturb the widths`() {
        var table = Table(("A", .left), ("B", .left))
        table.add("long", "x")
        let style = TerminalStyle(isOn: true)
        #expect(table.text(title: style.bold) == "\u{1B}[1mA     B\u{1B}[0m\nlong  x\n")
        #expect(TerminalStyle(isOn: false).red("x") == "x")
    }

    @Test func `without rows it is its titles`() {
        let table = Table(("A", .left), ("B", .right))
        #expect(table.text() == "A  B\n" && table.isEmpty)
    }
}
