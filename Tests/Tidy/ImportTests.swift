import Testing

/// Imports point one way: a target sees only what lies above it in the flow.
@Suite struct ImportTests {
    /// By folder below `Sources`: what its files may import. `Synchronization` and the target's own
    /// name are always allowed.
    private static let allowed: [String: Set<String>] = [
        "Model": [],
        "Platform": ["Model", "CPlatform", "Glibc"],
        "Databases/Postgres": ["Model", "Platform", "Glibc", "CLibPQ"],
        "Databases/Mongo": ["Model", "Platform", "Glibc", "CMongoC"],
        "Databases/Redis": [
            "Model", "Platform", "Glibc", "CHiredis", "NIOCore", "NIOEmbedded", "NIOSSL", "NIOTLS",
        ],
        "Segments": [
            "Model", "Platform", "Glibc", "CLZ4", "CXXHash", "CZlib", "Crypto",
            "FoundationEssentials",
        ],
        "Storage": ["Model", "Platform", "Glibc"],
        "Repository": [
            "Model", "Platform", "Segments", "Storage", "Glibc", "Crypto", "FoundationEssentials",
        ],
        "Catalog": ["Model", "Platform", "Segments", "Repository"],
        "Recovery": [
            "Model", "Platform", "Segments", "Repository", "Catalog", "Glibc", "Crypto",
            "FoundationEssentials",
        ],
        "Monitoring": [
            "Model", "Platform", "Repository", "Catalog", "FoundationEssentials", "Hummingbird",
            "HummingbirdCore", "HummingbirdTLS", "HTTPTypes", "AsyncHTTPClient", "NIOCore",
            "NIOHTTP1", "NIOSSL", "Logging", "ServiceLifecycle",
        ],
        "Daemon": [
            "Model", "Platform", "Postgres", "Mongo", "Redis", "Segments", "Storage",
            "Repository", "Catalog", "Recovery", "Monitoring", "Glibc", "Logging",
            "ServiceLifecycle",
            "UnixSignals", "Yams", "FoundationEssentials",
        ],
        "CommandLine": [
            "Model", "Platform", "Repository", "Catalog", "Recovery", "Monitoring", "Daemon",
            "ArgumentParser", "Logging", "Glibc",
        ],
        "TestKit": [
            "Model", "Platform", "Mongo", "Segments", "Storage", "Repository", "Catalog", "Glibc",
            "Testing", "FoundationEssentials", "Crypto",
        ],
    ]

    /// Files that alone may import a library: one place to look when it changes.
    private static let homes = [
        "Yams": ["Sources/Daemon/Configuration/YAMLDocument.swift"],
        "CHiredis": ["Sources/Databases/Redis/ReplyReader.swift"],
        "NIOSSL": [
            "Sources/Databases/Redis/TLSSession.swift",
            "Sources/Monitoring/HTTP/ServerTLS.swift",
        ],
        "AsyncHTTPClient": ["Sources/Monitoring/Alerts/WebhookClient.swift"],
    ]

    private static func imports(_ file: SourceFile) -> [(line: Int, module: String)] {
        file.code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
                position <= 2
            else { return nil }
            let module = words[words.count - 1].split(separator: ".").first ?? ""
            return (index + 1, String(module))
        }
    }

    private static func folder(_ file: SourceFile) -> String {
        let parts = file.path.split(separator: "/").dropFirst()
        return parts.prefix(parts.first == "Databases" ? 2 : 1).joined(separator: "/")
    }

    static func wrongImports(_ file: SourceFile) -> [Finding] {
        let folder = folder(file)
        guard let allowed = allowed[folder] else {
            return [
                Finding(path: file.path, line: 1, problem: "\(folder) has no row in ImportTests")
            ]
        }
        return imports(file).compactMap { line, module in
            if allowed.contains(module) || module == "Synchronization" { return nil }
            return Finding(
                path: file.path, line: line, problem: "\(folder) must not import \(module)")
        }
    }

    @Test func `a target imports only what lies above it`() {
        expectNone(SourceTree.sources.flatMap(Self.wrongImports))
    }

    @Test func `nobody imports Foundation as a whole`() {
        expectNone(
            SourceTree.swift.flatMap { file in
                Self.imports(file).filter { $0.module == "Foundation" }.map {
                    Finding(
                        path: file.path, line: $0.line,
                        problem: "import FoundationEssentials: Foundation adds 45 MB to the program"
                    )
                }
            })
    }

    @Test func `a library with a home is imported nowhere else`() {
        expectNone(
            SourceTree.sources.flatMap { file in
                Self.imports(file).filter {
                    Self.homes[$0.module].map { !$0.contains(file.path) } ?? false
                }.map {
                    Finding(
                        path: file.path, line: $0.line,
                        problem: "\($0.module) is imported by \(Self.homes[$0.module]!) alone")
                }
            })
    }

    @Test func `an import out of line is found`() {
        let model = SourceFile(path: "Sources/Model/A.swift", text: "import Glibc\n")
        #expect(Self.wrongImports(model).count == 1)
        let catalog = SourceFile(
            path: "Sources/Catalog/A.swift",
            text: "package import Recovery\nimport struct Model.Gap\n")
        #expect(Self.wrongImports(catalog).map(\.line) == [1])
        let room = SourceFile(
            path: "Sources/Databases/Postgres/A.swift",
            text: "import Model\nprivate import Repository\n")
        #expect(
            Self.wrongImports(room).map(\.problem) == [
                "Databases/Postgres must not import Repository"
            ])
    }
}
