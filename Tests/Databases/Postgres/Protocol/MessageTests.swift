import Model
import Testing

@testable import Postgres

/// The replication messages, byte for byte.
@Suite struct MessageTests {
    static let noon = CommitTime("2026-11-22T12:00:00.250001Z")!
    /// Microseconds from 2000-01-01 to noon, big-endian.
    static let noonBytes: [UInt8] = {
        var bytes: [UInt8] = []
        bytes.appendBig(noon.microseconds - 946_684_800_000_000)
        return bytes
    }()

    /// Every shorter message, and one with another first byte, must be refused.
    static func expectRefusals(
        _ bytes: [UInt8], upTo count: Int, _ read: (RawSpan) throws -> Void
    ) {
        for length in 0..<count {
            #expect(throws: TidemarkError.self, "\(length) bytes") {
                try read(bytes.span.bytes.extracting(0..<length))
            }
        }
        var other = bytes
        other[0] = UInt8(ascii: "x")
        #expect(throws: TidemarkError.self) { try read(other.span.bytes) }
    }

    @Test func `WAL data`() throws {
        let message = XLogData(start: 0x16_B374_D848, serverEnd: 0x17_0000_0000, sent: Self.noon)
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        #expect(
            bytes == [0x77, 0, 0, 0, 0x16, 0xB3, 0x74, 0xD8, 0x48, 0, 0, 0, 0x17, 0, 0, 0, 0]
                + Self.noonBytes)
        #expect(bytes.count == XLogData.headerBytes)
        bytes += [1, 2, 3]
        #expect(try XLogData(bytes.span.bytes) == message)
        Self.expectRefusals(bytes, upTo: 25) { _ = try XLogData($0) }
        var over: [UInt8] = []
        XLogData(start: .max - 1, serverEnd: 0, sent: Self.noon).encode(into: &over)
        over += [1, 2, 3]
        #expect(throws: TidemarkError.self) { try XLogData(over.span.bytes) }
    }

    @Test func `keepalive`() throws {
        for asks in [true, false] {
            let message = Keepalive(sentEnd: 0x300_0148, sent: Self.noon, replyRequested: asks)
            var bytes: [UInt8] = []
            message.encode(into: &bytes)
            #expect(
                bytes == [0x6B, 0, 0, 0, 0, 3, 0, 1, 0x48] + Self.noonBytes + [asks ? 1 : 0])
            #expect(try Keepalive(bytes.span.bytes) == message)
            Self.expectRefusals(bytes, upTo: 18) { _ = try Keepalive($0) }
            bytes.append(0)
            #expect(throws: TidemarkError.self) { try Keepalive(bytes.span.bytes) }
        }
    }

    @Test func `standby status`() throws {
        let message = StandbyStatus(
            written: 3, flushed: 0x2_0000_0000, applied: .max, sent: Self.noon,
            replyRequested: true)
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        #expect(
            bytes == [0x72, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0]
                + [UInt8](repeating: 255, count: 8) + Self.noonBytes + [1])
        #expect(bytes.count == StandbyStatus.bytes)
        #expect(try StandbyStatus(bytes.span.bytes) == message)
        Self.expectRefusals(bytes, upTo: 34) { _ = try StandbyStatus($0) }
    }

    @Test func `base backup`() throws {
        func read(_ bytes: [UInt8]) throws -> BaseBackupMessage {
            try BaseBackupMessage(bytes.span.bytes)
        }
        #expect(
            try read(Array("nbase.tar\0\0".utf8)) == .archive(name: "base.tar", path: ""))
        #expect(
            try read(Array("n16385.tar\0/srv/ä\0".utf8))
                == .archive(name: "16385.tar", path: "/srv/ä"))
        #expect(try read(Array("d".utf8)) == .data)
        #expect(try read(Array("d12345".utf8)) == .data)
        #expect(BaseBackupMessage.dataOffset == 1)
        #expect(try read([0x70, 0, 0, 0, 1, 0, 0, 0, 2]) == .progress(bytes: 0x1_0000_0002))
        #expect(try read(Array("m".utf8)) == .manifest)
    }

    @Test(arguments: [
        "", "n", "nbase.tar", "nbase.tar\0", "nbase.tar\0/srv", "n\0\0", "nbase.tar\0\0x", "p",
        "p1234567", "p123456789", "mx", "x", "D",
    ])
    func `malformed base backup messages are refused`(_ text: String) {
        let error = #expect(throws: TidemarkError.self) {
            try BaseBackupMessage(Array(text.utf8).span.bytes)
        }
        #expect(error?.message.contains("malformed base backup") == true)
    }
}
