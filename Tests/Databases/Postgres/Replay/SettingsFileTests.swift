@testable import Postgres
import Testing

@Suite struct `A restored settings file` {
    @Test func `loses what reaches back to the original, and nothing else`() {
        let original = """
            # comment
            data_directory = '/var/lib/postgresql/15/main'
            Port = 5432
            include_dir 'conf.d'
            include 'here.conf'
            recovery_target_time='2020-01-01'
              primary_conninfo 'host=a'
            work_mem = 4MB   # hba_file
            """
        let file = SettingsFile(original) { $0 == "conf.d" }
        #expect(
            file.removed == [
                "data_directory", "include_dir", "recovery_target_time", "primary_conninfo",
            ])
        #expect(file.text.contains("#tidemark: data_directory"))
        #expect(file.text.contains("\nPort = 5432\n"))
        #expect(file.text.contains("\ninclude 'here.conf'\n"))
        #expect(file.text.hasSuffix("work_mem = 4MB   # hba_file"))
    }

    @Test func `has one block, however often it is restored`() {
        var file = SettingsFile("a = 1\n") { _ in false }
        file.replaceBlock(["b = 1"])
        file.replaceBlock(["b = 2"])
        #expect(
            file.text == "a = 1\n# tidemark restore: begin\nb = 2\n# tidemark restore: end\n")
    }

    @Test func `takes values with quotes and backslashes`() {
        #expect(SettingsFile.quoted(#"it's \x"#) == #"'it''s \\x'"#)
        #expect(SettingsFile.setting("name = 'it''s' # x")?.value == "it's")
        #expect(SettingsFile.setting("  name   plain # x")?.value == "plain")
        #expect(SettingsFile.setting("# name = 1") == nil)
    }
}
