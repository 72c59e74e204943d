// swift-tools-version: 6.2
// Read from top to bottom, the targets are the data flow; a target imports only targets above it.
import PackageDescription

/// Settings of every Swift target: Swift 6 mode, nothing implicit, every warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Sources also mark every unsafe pointer use.
let safe: [SwiftSetting] = strict + [.strictMemorySafety()]

let package = Package(
    name: "tidemark",
    products: [.executable(name: "tidemark", targets: ["tidemark"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        // No traits: they would bring all of Foundation.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(
            url: "https://github.com/swift-server/async-http-client.git", from: "1.30.0",
            traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries and the system-call shim.
        .systemLibrary(
            // No pkgConfig: hiredis's .pc carries a flag that SwiftPM refuses at every build.
            name: "CHiredis", path: "Sources/Databases/Redis/CHiredis",
            providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(
            name: "CLZ4", path: "Sources/Segments/CLZ4", pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CXXHash", path: "Sources/Segments/CXXHash", pkgConfig: "libxxhash",
            providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(
            name: "CZlib", path: "Sources/Segments/CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CPlatform"),
        // Libraries that are loaded only where they are called.
        .target(
            name: "CLibPQ", dependencies: ["CPlatform"], path: "Sources/Databases/Postgres/CLibPQ"),
        .target(
            name: "CMongoC", dependencies: ["CPlatform"], path: "Sources/Databases/Mongo/CMongoC",
            // Without the .pc file, which would link it.
            cSettings: [
                .unsafeFlags(["-I/usr/include/libmongoc-1.0", "-I/usr/include/libbson-1.0"])
            ]),

        // The flow.
        .target(name: "Model", swiftSettings: safe),
        .target(name: "Platform", dependencies: ["Model", "CPlatform"], swiftSettings: safe),
        .target(
            name: "Postgres", dependencies: ["Model", "Platform", "CLibPQ"],
            path: "Sources/Databases/Postgres", exclude: ["CLibPQ", "README.md"],
            swiftSettings: safe),
        .target(
            name: "Mongo", dependencies: ["Model", "Platform", "CMongoC"],
            path: "Sources/Databases/Mongo", exclude: ["CMongoC", "README.md"],
            swiftSettings: safe),
        .target(
            name: "Redis",
            dependencies: [
                "Model", "Platform", "CHiredis",
                // TLS for rediss://, run without NIO's own I/O.
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Sources/Databases/Redis", exclude: ["CHiredis", "README.md"],
            swiftSettings: safe),
        .target(
            name: "Segments",
            dependencies: [
                "Model", "Platform", "CLZ4", "CXXHash", "CZlib",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            exclude: ["CLZ4", "CXXHash", "CZlib"], swiftSettings: safe),
        .target(name: "Storage", dependencies: ["Model", "Platform"], swiftSettings: safe),
        .target(
            name: "Repository",
            dependencies: [
                "Model", "Platform", "Segments", "Storage",
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: safe),
        .target(
            name: "Catalog", dependencies: ["Model", "Platform", "Segments", "Repository"],
            swiftSettings: safe),
        .target(
            name: "Recovery",
            dependencies: [
                "Model", "Platform", "Segments", "Repository", "Catalog",
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: safe),
        .target(
            name: "Monitoring",
            dependencies: [
                "Model", "Platform", "Repository", "Catalog",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                ".html", ".css", ".js", "-axis.js", "-card.js", "-moment.js", "-words.js",
            ].map { .embedInCode("Dashboard/Assets/dashboard\($0)") }, swiftSettings: safe),
        .target(
            name: "Daemon",
            dependencies: [
                "Model", "Platform", "Postgres", "Mongo", "Redis", "Segments", "Storage",
                "Repository", "Catalog", "Recovery", "Monitoring",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: safe),
        .executableTarget(
            name: "tidemark",
            dependencies: [
                "Model", "Platform", "Repository", "Catalog", "Recovery", "Monitoring", "Daemon",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/CommandLine", swiftSettings: safe),

        // Tests mirror Sources.
        .target(
            name: "TestKit",
            dependencies: [
                "Model", "Platform", "Mongo", "Storage", "Repository", "Catalog",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ModelTests", dependencies: ["Model"], path: "Tests/Model", swiftSettings: strict),
        .testTarget(
            name: "PlatformTests", dependencies: ["Platform", "TestKit"], path: "Tests/Platform",
            swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["Postgres", "TestKit"],
            path: "Tests/Databases/Postgres", swiftSettings: strict),
        .testTarget(
            name: "MongoTests",
            dependencies: [
                "Mongo", "TestKit", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/Databases/Mongo", swiftSettings: strict),
        .testTarget(
            name: "RedisTests", dependencies: ["Redis", "TestKit"],
            path: "Tests/Databases/Redis", swiftSettings: strict),
        .testTarget(
            name: "SegmentsTests", dependencies: ["Segments", "TestKit", "Storage"],
            path: "Tests/Segments", swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "TestKit"], path: "Tests/Storage",
            swiftSettings: strict),
        .testTarget(
            name: "RepositoryTests", dependencies: ["Repository", "TestKit"],
            path: "Tests/Repository", swiftSettings: strict),
        .testTarget(
            name: "CatalogTests", dependencies: ["Catalog", "Repository", "TestKit"],
            path: "Tests/Catalog", swiftSettings: strict),
        .testTarget(
            name: "RecoveryTests",
            dependencies: ["Recovery", "Catalog", "Repository", "Segments", "Redis", "TestKit"],
            path: "Tests/Recovery", swiftSettings: strict),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Monitoring", "Repository", "Catalog", "TestKit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], path: "Tests/Monitoring", swiftSettings: strict),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Repository", "Segments", "TestKit",
                .product(name: "Logging", package: "swift-log"),
            ], path: "Tests/Daemon",
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "tidemark", "Daemon", "Model", "Monitoring", "Platform", "Repository", "Storage",
                "TestKit",
            ], path: "Tests/CommandLine", swiftSettings: strict),
        .testTarget(
            name: "TidyTests", dependencies: ["TestKit"], path: "Tests/Tidy", swiftSettings: strict),
        .testTarget(
            name: "PostgresIntegrationTests",
            dependencies: [
                "tidemark", "Postgres", "Segments", "Storage", "Repository", "Daemon", "TestKit",
            ],
            path: "Tests/Integration/Postgres", swiftSettings: strict),
        .testTarget(
            name: "DashboardIntegrationTests",
            dependencies: [
                "tidemark", "Monitoring", "Catalog", "Repository", "Model", "Platform", "TestKit",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Integration/Dashboard", swiftSettings: strict),
        .testTarget(
            name: "MongoIntegrationTests",
            dependencies: [
                "tidemark", "Mongo", "Segments", "Storage", "Repository", "Daemon", "TestKit",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/Integration/Mongo", swiftSettings: strict),
        .testTarget(
            name: "RedisIntegrationTests",
            dependencies: [
                "tidemark", "Redis", "Segments", "Storage", "Repository", "Daemon", "TestKit",
            ],
            path: "Tests/Integration/Redis", swiftSettings: strict),
    ]
)

// Benchmarks that need the package's own modules; built only when asked for.
if Context.environment["TIDEMARK_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "redis-splitter", dependencies: ["Redis", "Platform", "Model"],
            path: "Benchmarks/redis-splitter", exclude: ["run"], swiftSettings: strict))
    package.targets.append(
        .executableTarget(
            name: "mongo-stream", dependencies: ["Mongo", "Platform", "Model"],
            path: "Benchmarks/mongo-stream", exclude: ["run"], swiftSettings: strict))
    package.targets.append(
        .executableTarget(
            name: "mongo-restore", dependencies: ["Mongo", "Platform", "Model"],
            path: "Benchmarks/mongo-restore", exclude: ["run"], swiftSettings: strict))
    package.targets.append(
        .executableTarget(
            name: "monitoring-load",
            dependencies: [
                "Monitoring", "Repository", "Platform", "Model",
                .product(name: "Logging", package: "swift-log"),
            ], path: "Benchmarks/monitoring", exclude: ["run"], swiftSettings: strict))
}
