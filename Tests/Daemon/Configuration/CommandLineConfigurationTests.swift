import Model
import TestKit
import Testing

@testable import Daemon

@Suite struct CommandLineConfigurationTests {
    private func configuration(_ urls: String...) throws(TidemarkError) -> Configuration {
        try Configuration(
            urls: urls, repository: "file:///srv/a", environment: Environment(["PW": "p@w"]))
    }

    @Test func `sources are named after their database, each name once`() throws {
        let made = try configuration(
            "postgresql://u:${PW}@a/ledger", "postgres://b/ledger", "postgres://c",
            "postgres://d/My%20Base", "postgres://e/Shop")
        #expect(
            made.sources.map(\.name.name)
                == ["ledger", "ledger-2", "postgres", "postgres-2", "shop"])
        #expect(made.sources[0].url.secret.reveal() == "postgresql://u:p%40w@a/ledger")
        #expect(made.sources[0].rpo == .seconds(900))
    }

    @Test func `the archive alone is enough for commands that only read it`() throws {
        let made = try configuration()
        #expect(made.sources.isEmpty && made.repository.url == .file(path: "/srv/a"))
    }

    @Test func `what is wrong is said without a line`() throws {
        let error = #expect(throws: TidemarkError.self) {
            try configuration("mysql://u:hunter2@db")
        }
        #expect(error?.code == .usage && error?.description.contains("hunter2") == false)
        let place = #expect(throws: TidemarkError.self) {
            try Configuration(urls: [], repository: "relative", environment: Environment([:]))
        }
        #expect(
            place?.message.hasPrefix("command line: repository.url: must be file:///path") == true)
    }

    @Test func `the file is looked for in its places`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let places = ["\(scratch.path)/none.yml", "\(scratch.path)/second.yml"]
            let empty = Environment([:])
            #expect(try ConfigurationFile.locate(flag: "x", environment: empty) == "x")
            let named = Environment(["TIDEMARK_CONFIG": "y"])
            #expect(try ConfigurationFile.locate(flag: "x", environment: named) == "x")
            #expect(try ConfigurationFile.locate(flag: nil, environment: named) == "y")
            let error = #expect(throws: TidemarkError.self) {
                try ConfigurationFile.locate(flag: nil, environment: empty, places: places)
            }
            #expect(error?.code == .configuration && error?.message.contains("second.yml") == true)
            try NewFile.write("x", to: places[1])
            #expect(
                try ConfigurationFile.locate(flag: nil, environment: empty, places: places)
                    == places[1])
        }
    }

    @Test func `a file is read whole, and one that cannot be is named`() async throws {
        try await offPool {
            let scratch = try ScratchDirectory()
            let path = scratch.path + "/t.yml"
            try NewFile.write(ConfigurationTests.document(), to: path)
            let empty = Environment([:])
            #expect(try ConfigurationFile.load(flag: path, environment: empty).sources.count == 1)
            let again = #expect(throws: TidemarkError.self) { try NewFile.write("x", to: path) }
            #expect(again?.message == "\(path) exists already and is left as it is")
            for wrong in ["/nonexistent.yml", scratch.path] {
                let error = #expect(throws: TidemarkError.self) {
                    try ConfigurationFile.load(flag: wrong, environment: empty)
                }
                #expect(error?.code == .configuration && error?.message.contains(wrong) == true)
            }
            let binary = scratch.path + "/long.yml"
            try NewFile.write(String(repeating: "#", count: 2 << 20), to: binary)
            let error = #expect(throws: TidemarkError.self) {
                try ConfigurationFile.load(flag: binary, environment: empty)
            }
            #expect(error?.message == "\(binary) is longer than 1.0 MiB")
        }
    }
}
