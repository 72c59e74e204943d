import Model
@testable import Postgres
import Testing

/// Both dialects of BASE_BACKUP, played by script.
@Suite struct BaseBackupMachineTests {
    private typealias Step = BaseBackupMachine.Step

    private static let start = ConnectionReply.rows(ConnectionRows([["0/2000028", "1"]]))
    private static let spaces = ConnectionReply.rows(
        ConnectionRows([["16385", "/space", "10"], [nil, nil, "90"]]))
    private static let end = ConnectionReply.rows(ConnectionRows([["0/2000138", "1"]]))
    private static let header = BaseBackupMachine.Header(
        start: 0x200_0028, timeline: 1, estimatedBytes: 102_400)

    private func machine(_ version: Int) -> BaseBackupMachine {
        BaseBackupMachine(version: version, StreamScript.context)
    }

    private func piece(
        _ machine: inout BaseBackupMachine, _ message: [UInt8]
    ) throws -> BaseBackupMachine.Piece {
        try message.withUnsafeBytes { (bytes) in try machine.take(bytes.bytes) }
    }

    private func fileName(_ piece: BaseBackupMachine.Piece) -> String? {
        if case .file(let file) = piece { file.name } else { nil }
    }

    private func offset(_ piece: BaseBackupMachine.Piece) -> Int? {
        if case .content(let offset) = piece { offset } else { nil }
    }

    @Test func `the command speaks the server's dialect and quotes the label`() {
        #expect(
            BaseBackupMachine.command(label: "it's", fast: true, version: 150_000)
                == "BASE_BACKUP (LABEL 'it''s', PROGRESS true, CHECKPOINT 'fast', WAIT false, "
                + "TABLESPACE_MAP true, VERIFY_CHECKSUMS true, MANIFEST 'yes', "
                + "MANIFEST_CHECKSUMS 'CRC32C')")
        #expect(
            BaseBackupMachine.command(label: "x", fast: false, version: 140_010)
                == "BASE_BACKUP LABEL 'x' PROGRESS NOWAIT TABLESPACE_MAP MANIFEST 'yes' "
                + "MANIFEST_CHECKSUMS 'CRC32C'")
        #expect(
            BaseBackupMachine.command(label: "x", fast: true, version: 130_000).contains(" FAST "))
    }

    @Test func `since 15 one stream carries labelled messages`() throws {
        var machine = machine(150_020)
        #expect(try machine.take(Self.start) == .next)
        #expect(try machine.take(Self.spaces) == .next)
        #expect(try machine.take(.copyOut) == .started(Self.header))
        #expect(machine.takePendingFile() == nil)
        let space = try piece(&machine, Array("n16385.tar\0/space\0".utf8))
        guard case .file(let file) = space else { throw TidemarkError(.failed, "no file") }
        #expect(file.role == .tablespace)
        #expect(file.origin == "16385")
        #expect(file.location == "/space")
        #expect(offset(try piece(&machine, Array("dABC".utf8))) == 1)
        #expect(offset(try piece(&machine, [UInt8(ascii: "p"), 0, 0, 0, 0, 0, 0, 0, 9])) == nil)
        #expect(fileName(try piece(&machine, Array("nbase.tar\0\0".utf8))) == "base.tar")
        #expect(fileName(try piece(&machine, Array("m".utf8))) == "backup_manifest")
        #expect(try machine.take(Self.end) == .next)
        #expect(try machine.take(.done("SELECT")) == .next)
        #expect(try machine.take(.none) == .ended(0x200_0138))
        #expect(machine.complaint == nil && machine.closing.isEmpty)
    }

    @Test func `up to 14 each tablespace has a stream of its own, and so has the manifest`() throws
    {
        var machine = machine(140_010)
        _ = try machine.take(Self.start)
        _ = try machine.take(Self.spaces)
        var names: [String?] = []
        #expect(try machine.take(.copyOut) == .started(Self.header))
        names.append(machine.takePendingFile()?.name)
        #expect(offset(try piece(&machine, Array("nd".utf8))) == 0)
        #expect(offset(try piece(&machine, [])) == nil)
        var closing = [machine.closing.count]
        for _ in 0..<2 {
            #expect(try machine.take(.copyOut) == .stream)
            names.append(machine.takePendingFile()?.name)
            closing.append(machine.closing.count)
        }
        #expect(names == ["16385.tar", "base.tar", "backup_manifest"])
        #expect(closing == [1024, 1024, 0])
        #expect(throws: TidemarkError.self) {
            var other = machine
            _ = try other.take(.copyOut)
        }
        #expect(try machine.take(Self.end) == .next)
        #expect(try machine.take(.none) == .ended(0x200_0138))
    }

    @Test func `failed page checksums at the end keep the backup`() throws {
        var machine = machine(150_020)
        _ = try machine.take(Self.start)
        _ = try machine.take(Self.spaces)
        _ = try machine.take(.copyOut)
        _ = try machine.take(Self.end)
        let failure = ConnectionFailure(
            state: "XX001", message: "checksum verification failure during base backup")
        #expect(try machine.take(.failed(failure)) == .next)
        #expect(try machine.take(.none) == .ended(0x200_0138))
        #expect(machine.complaint == failure.message)
    }

    @Test func `any other refusal, and an early end, are errors`() throws {
        let failure = ConnectionFailure(state: "XX001", message: "x")
        #expect(throws: TidemarkError.self) {
            var early = machine(150_020)
            _ = try early.take(.failed(failure))
        }
        #expect(throws: TidemarkError.self) {
            var early = machine(150_020)
            _ = try early.take(Self.start)
            _ = try early.take(.none)
        }
        #expect(throws: TidemarkError.self) {
            var early = machine(150_020)
            _ = try early.take(.copyOut)
        }
        #expect(throws: TidemarkError.self) {
            var wrong = machine(150_020)
            _ = try wrong.take(.copyBoth)
        }
    }
}
