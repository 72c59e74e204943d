import Model
import Testing

@testable import Daemon

@Suite struct SecrecyTests {
    static let password = "hunter2-very-secret"

    /// Everything that printing could bring out.
    private func texts(_ value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(reflecting: value), dumped]
    }

    @Test func `printing a configuration in any way shows no password`() throws {
        let configuration = try ConfigurationTests.read(
            """
            repository: { url: file:///a }
            sources:
              one: { url: "postgresql://u:\(Self.password)@db/x?sslpassword=\(Self.password)" }
              two: { url: "${URL}" }
            """, Environment(["URL": "postgres://db/y?user=a&password=\(Self.password)"]))
        for text in texts(configuration) + texts(configuration.sources[0].url) {
            #expect(!text.contains("hunter2"))
        }
        #expect("\(configuration.sources[0].url)" == "postgresql://u:***@db/x?sslpassword=***")
        #expect(configuration.sources[1].url.redacted == "postgres://db/y?user=a&password=***")
        #expect(configuration.sources[0].url.secret.reveal().contains(Self.password))
    }

    @Test(arguments: [
        "repository: { url: file:///a }\nsources: { one: { url: \"mysql://u:hunter2@db\" } }",
        "repository: { url: file:///a }\nsources: { one: { url: [\"postgres://u:hunter2@db\"] } }",
        "repository: { url: \"http://u:hunter2@x\" }",
        "repository: { url: file:///a }\nsources: { one: { url: \"postgres://u:hunter2@db\", rpo: \"${PW}\" } }",
        "repository: { url: file:///a }\nsources: { one: { url: \"postgres://u:hunter2@db\"\n, x: ] } }",
        "repository: { url: file:///a }\nsources: { one: { url: \"postgres://u:hunter2@db\", slot: \"${PW}\" } }",
        "repository: { url: \"s3://b/x?secret_key=hunter2\" }\nsources: { one: { url: \"postgres://db\" } }",
        "url: \"postgres://u:hunter2@db\n",
        "repository: { url: file:///a }\nalerts: [ { webhook: \"ftp://hunter2\" } ]",
    ])
    func `no error repeats a secret`(yaml: String) throws {
        let error = #expect(throws: TidemarkError.self) {
            try ConfigurationTests.read(yaml, Environment(["PW": "hunter2 Å"]))
        }
        let text = try #require(error).description + String(reflecting: error)
        #expect(!text.contains("hunter2"), "\(text)")
    }
}
