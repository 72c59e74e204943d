import Testing

/// The rooms of different databases have the same shape, so that who knows one knows all.
@Suite struct RoomTests {
    /// Files that each room has, once there are several rooms; a folder of the name does as well.
    private static let files = [
        "Room", "Configuration", "Connection", "ConnectionFailure", "PositionStyle", "Stream",
        "BaseBackup", "Replay", "Inspect",
    ]

    private static var rooms: [String] {
        SourceTree.names("Sources/Databases").filter {
            SourceTree.isFolder("Sources/Databases/\($0)")
        }
    }

    @Test func `there is a room`() { #expect(Self.rooms.contains("Postgres")) }

    @Test func `every room has a README that ends in what can go wrong`() {
        expectNone(
            Self.rooms.map { "Sources/Databases/\($0)/README.md" }
                .filter { !SourceTree.exists($0) }
                .map { Finding(path: $0, line: 1, problem: "is missing") })
    }

    @Test func `rooms have the same files`() {
        guard Self.rooms.count > 1 else { return }
        expectNone(
            Self.rooms.flatMap { room in
                let names = SourceTree.names("Sources/Databases/\(room)")
                let wanted = Self.files + ["Protocol"]
                return wanted.filter { !names.contains($0) && !names.contains($0 + ".swift") }.map {
                    Finding(path: "Sources/Databases/\(room)/\($0)", line: 1, problem: "is missing")
                }
            })
    }
}
