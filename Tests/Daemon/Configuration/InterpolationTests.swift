import Model
import TestKit
import Testing

@testable import Daemon

@Suite struct InterpolationTests {
    private func expand(_ text: String, _ variables: [String: String]) throws -> String {
        try Interpolation(text, Environment(variables)).text
    }

    @Test(arguments: [
        ("plain", "plain"), ("${A}", "1"), ("x${A}y${B}z", "x1y2z"), ("$A", "$A"), ("$", "$"),
        ("5$ and ${A}", "5$ and 1"), ("$${A}", "${A}"), ("$$", "$$"), ("${EMPTY}", ""),
        ("${A}${A}", "11"), ("{A}", "{A}"), ("Grüße ${B}", "Grüße 2"),
    ])
    func `references are replaced and nothing else is`(template: String, text: String) throws {
        #expect(try expand(template, ["A": "1", "B": "2", "EMPTY": ""]) == text)
    }

    @Test func `what was filled in is not looked at again`() throws {
        #expect(try expand("${A}", ["A": "${B}", "B": "no"]) == "${B}")
    }

    @Test func `a variable that is missing is named with both ways to set it`() {
        let error = #expect(throws: TidemarkError.self) { try expand("${LEDGER_PASSWORD}", [:]) }
        #expect(error?.message == "the environment variable LEDGER_PASSWORD is not set")
        #expect(
            error?.remedy
                == "set LEDGER_PASSWORD, or set LEDGER_PASSWORD_FILE to a file that holds the value"
        )
        let file = #expect(throws: TidemarkError.self) { try expand("${PW_FILE}", [:]) }
        #expect(file?.remedy == "set PW, or set PW_FILE to a file that holds the value")
    }

    @Test(arguments: ["${", "${}", "${A", "${A B}", "${1A}", "${A-b}", "${A:-x}", "${ A }"])
    func `what is not a reference is refused`(template: String) {
        let error = #expect(throws: TidemarkError.self) { try expand(template, ["A": "1"]) }
        #expect(error?.message == "${ must be followed by a variable's name and }")
    }

    @Test func `a file stands in for its variable, without its last newline`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/password"
            try NewFile.write("from a file\n\n", to: path)
            #expect(try expand("${PW}", ["PW_FILE": path]) == "from a file\n")
            #expect(try expand("${PW_FILE}", ["PW_FILE": path]) == "from a file\n")
            // The variable itself goes first.
            #expect(try expand("${PW}", ["PW_FILE": path, "PW": "direct"]) == "direct")
        }
    }

    @Test func `a file that cannot be read is named, with its variable`() async throws {
        try await offPool {
            let error = #expect(throws: TidemarkError.self) {
                try expand("${PW}", ["PW_FILE": "/nonexistent/password"])
            }
            #expect(
                error?.message
                    == "the file named by PW_FILE: cannot open /nonexistent/password: no such file or directory"
            )
            let folder = #expect(throws: TidemarkError.self) {
                try expand("${PW}", ["PW_FILE": "/"])
            }
            #expect(folder?.message == "the file named by PW_FILE: cannot read /: is a directory")
        }
    }

    @Test func `a password in a URL may have any sign`() throws {
        let password = ["PW": "p@ss/w:rd?#% ü${"]
        #expect(
            try expand("postgresql://u:${PW}@db:5432/x", password)
                == "postgresql://u:p%40ss%2Fw%3Ard%3F%23%25%20%C3%BC%24%7B@db:5432/x")
        #expect(
            try expand("postgresql://db/x?password=${PW}&user=u", ["PW": "a&b=c"])
                == "postgresql://db/x?password=a%26b%3Dc&user=u")
        #expect(
            try expand("redis://:${PW}@cache", ["PW": "a~b-c_d.e"]) == "redis://:a~b-c_d.e@cache")
    }

    @Test func `other parts of a URL, and whole URLs, are taken as they are`() throws {
        #expect(try expand("${URL}", ["URL": "postgres://u:p%40@h/x"]) == "postgres://u:p%40@h/x")
        #expect(
            try expand("postgres://u@${HOSTS}/x", ["HOSTS": "a:1,b:2"]) == "postgres://u@a:1,b:2/x")
        #expect(try expand("file://${DIR}/a", ["DIR": "/srv/x"]) == "file:///srv/x/a")
        #expect(try expand("postgres://h/x?${ALL}", ["ALL": "a=b&c=d"]) == "postgres://h/x?a=b&c=d")
    }
}
