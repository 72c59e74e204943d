import Glibc
import Mongo
import Platform

/// One connection to the double: requests in, answers out, until either side closes it.
///
/// `OP_QUERY` for the first `isMaster` of old drivers, `OP_MSG` for all else (the server's
/// message.h): length(4) id(4) answers(4) opcode(4), then the body.
final class MongoDoubleSession {
    private let socket: Int32
    private let state: Monitor<MongoDoubleState>
    private static let query: Int32 = 2004
    private static let message: Int32 = 2013

    init(_ socket: Int32, _ state: Monitor<MongoDoubleState>) {
        self.socket = socket
        self.state = state
    }

    func run() {
        defer {
            state.update { _ = $0.sockets.remove(socket) }
            close(socket)
        }
        let answers = MongoDoubleAnswers(state)
        var login = MongoDoubleLogin()
        while let (id, opcode, body) = receive() {
            let isQuery = opcode == Self.query
            guard let request = isQuery ? queried(body) : messaged(body) else { return }
            let number = state.update { $0.record.begin(request) }
            let refused = answers.fault(request) ?? login.answer(request, answers)
            var answer = refused ?? answers.answer(request)
            if ["isMaster", "ismaster", "hello"].contains(request.firstName) {
                answer = login.greet(request, isQuery: isQuery, answer, answers)
            }
            if let number { state.update { $0.record.end(number) } }
            if !isQuery, wantsNoAnswer(body) { continue }
            if !send(answers.timed(answer, request), to: id, isQuery: isQuery) { return }
        }
    }

    // MARK: requests

    /// flags(4) name 00 skip(4) count(4) document
    private func queried(_ body: [UInt8]) -> BSONDocument? {
        guard let zero = body.dropFirst(4).firstIndex(of: 0) else { return nil }
        return try? BSONDocument(Array(body[(zero + 9)...]))
    }

    /// flags(4) then sections: 0 document, or 1 length(4) name 00 documents, which are put into the
    /// document of the first kind as an array: of an insert all documents are sent so.
    private func messaged(_ body: [UInt8]) -> BSONDocument? {
        var offset = 4
        var request: BSONDocument?
        var sequences: [(String, BSONValue)] = []
        while offset + 5 <= body.count {
            let length = number(body, offset + 1)
            let end = offset + 1 + length
            guard length >= 5, end <= body.count else { return nil }
            switch body[offset] {
            case 0: request = try? BSONDocument(Array(body[(offset + 1)..<end]))
            case 1:
                guard let sequence = sequence(body[(offset + 5)..<end]) else { return nil }
                sequences.append(sequence)
            default: return nil
            }
            offset = end
        }
        guard let request, !sequences.isEmpty else { return request }
        return BSONDocument(request.fields.map { ($0.name, $0.value) } + sequences)
    }

    /// name 00 documents
    private func sequence(_ bytes: ArraySlice<UInt8>) -> (String, BSONValue)? {
        guard let zero = bytes.firstIndex(of: 0) else { return nil }
        let name = String(decoding: bytes[..<zero], as: UTF8.self)
        guard let parts = try? MongoFixture.documents(Array(bytes[(zero + 1)...])),
            let documents = try? parts.map({ try BSONDocument($0) })
        else { return nil }
        return (name, .array(documents.map { .document($0) }))
    }

    /// `moreToCome`: the client does not wait.
    private func wantsNoAnswer(_ body: [UInt8]) -> Bool { number(body, 0) & 2 != 0 }

    private func number(_ bytes: [UInt8], _ offset: Int) -> Int {
        guard offset + 4 <= bytes.count else { return 0 }
        return (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private func receive() -> (id: Int32, opcode: Int32, body: [UInt8])? {
        guard let head = read(16) else { return nil }
        let length = number(head, 0)
        guard length >= 16, length <= 64 << 20, let body = read(length - 16) else { return nil }
        return (Int32(truncatingIfNeeded: number(head, 4)), Int32(number(head, 12)), body)
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                recv(socket, buffer.baseAddress! + filled, count - filled, 0)
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    // MARK: answers

    private func send(_ answer: [UInt8], to id: Int32, isQuery: Bool) -> Bool {
        var body: [UInt8] = []
        if isQuery {
            // responseFlags(4) cursor(8) from(4) count(4)
            body += little(8) + [UInt8](repeating: 0, count: 12) + little(1)
        } else {
            body += little(0) + [0]
        }
        body += answer
        let head =
            little(Int32(body.count + 16)) + little(1) + little(id)
            + little(isQuery ? 1 : Self.message)
        var whole = head + body
        let isDamaged = state.update { state -> Bool in
            guard let from = state.damagesAnswersFrom, whole.count >= from else { return false }
            state.damagesAnswersFrom = nil
            return true
        }
        if isDamaged {
            // More than an entry, so that a length is among them.
            let middle = whole.count / 2
            for place in middle..<min(whole.count - 8, middle + 600) { whole[place] = 0xFF }
        }
        let cut = state.update { state -> Int? in
            guard let from = state.cutsAnswersFrom, whole.count >= from else { return nil }
            state.cutsAnswersFrom = nil
            return whole.count / 2
        }
        guard write(Array(whole.prefix(cut ?? whole.count))) else { return false }
        if cut != nil { shutdown(socket, Int32(SHUT_RDWR)) }
        return cut == nil
    }

    private func little(_ value: Int32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    socket, buffer.baseAddress! + sent, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
