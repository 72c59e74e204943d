import Model
import Platform

// How a stream is joined: handshake, PSYNC, and the RDB that may come first.
extension Stream {
    /// Seconds for which the server may say with newlines that it is still preparing: another RDB
    /// may have to be made first, and a large one takes long.
    private static let preparingSeconds = 3600.0

    func join(
        _ action: StreamMachine.Action, _ wake: WakeSignal
    ) throws(TidemarkError) -> StreamMachine.Start {
        var fresh = try Connection.open(configuration, wake: wake)
        _ = try fresh.answerIfAllowed(["CLIENT", "SETNAME", configuration.clientName])
        if version == RedisVersion(0, 0), let known = try Questions.version(&fresh) {
            version = known
        }
        _ = try fresh.answer(["REPLCONF", "capa", "psync2"])
        switch action {
        case .partial(let id, let from):
            if machine.isBlind { try askForEmptyPayload(&fresh) }
            try fresh.send(["PSYNC", id, String(from)])
        case .full:
            try state.countFullResync(time.monotonic(), place: configuration.place)
            try askForEmptyPayload(&fresh)
            try fresh.send(["PSYNC", "?", "-1"])
        }
        connection = consume fresh
        let start = try machine.handle(try answer())
        if start.hasPayload {
            try skipPayload()
            // Behind an RDB of unknown length the stream begins only with the first ACK.
            try connection!.send(["REPLCONF", "ACK", "0"])
        }
        return start
    }

    /// Only the stream is wanted: an RDB of a few hundred bytes instead of all data. Servers before
    /// 7.0 do not know this and send everything, which is then skipped.
    private func askForEmptyPayload(_ connection: inout Connection) throws(TidemarkError) {
        if case .error = try connection.ask(["REPLCONF", "rdb-filter-only", ""]) { return }
        // The server sends a filtered RDB only without telling its length beforehand.
        _ = try connection.answer(["REPLCONF", "capa", "eof"])
    }

    /// The line that answers PSYNC; bytes behind it stay in the buffer.
    private func answer() throws(TidemarkError) -> StreamMachine.Answer {
        if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.bufferBytes) }
        let begun = SocketWait.now()
        var deadline = begun + configuration.joinSeconds
        while true {
            // Keep-alive newlines may come first, one each second.
            var start = 0
            while start < filled, buffer[start] == 10 { start += 1 }
            if let end = buffer[start..<filled].firstIndex(of: 10) {
                let text = String(decoding: buffer[start..<end], as: UTF8.self)
                let line = text.hasSuffix("\r") ? String(text.dropLast()) : text
                drop(end + 1)
                return try understood(line)
            }
            guard filled - start < 4096 else { throw malformed("an endless line") }
            drop(start)
            if start > 0 {
                deadline = min(
                    SocketWait.now() + configuration.joinSeconds, begun + Self.preparingSeconds)
            }
            try receiveMore(deadline)
        }
    }

    private func understood(_ line: String) throws(TidemarkError) -> StreamMachine.Answer {
        // Swift counts CR LF as one character, so the line may still carry its end.
        let line = line.filter { !$0.isNewline }
        if line.hasPrefix("-") {
            throw ConnectionFailure(String(line.dropFirst())).error(
                configuration, command: "PSYNC")
        }
        guard let answer = StreamMachine.Answer(line) else { throw malformed(line) }
        return answer
    }

    private func malformed(_ line: String) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "Redis at \(configuration.place) answered PSYNC with \(line.prefix(80))",
            remedy: "check what stands between: a proxy may not pass replication on")
    }

    /// Takes the RDB off the front of the stream without keeping it.
    private func skipPayload() throws(TidemarkError) {
        var payload = PayloadReader()
        var deadline = SocketWait.now() + configuration.joinSeconds
        while !payload.isDone {
            if filled > 0 {
                let bytes = buffer
                let (taken, _) = try payload.take(
                    unsafe bytes.span.bytes.extracting(0..<filled))
                drop(taken)
                deadline = SocketWait.now() + configuration.joinSeconds
            } else {
                try receiveMore(deadline)
            }
        }
        if let refusal = payload.refusal {
            throw ConnectionFailure(refusal).error(configuration, command: "PSYNC")
        }
    }

    private func drop(_ count: Int) {
        guard count > 0 else { return }
        buffer.replaceSubrange(0..<(filled - count), with: Array(buffer[count..<filled]))
        filled -= count
    }

    private func receiveMore(_ deadline: Double) throws(TidemarkError) {
        while true {
            switch try connection!.receive(into: &buffer, at: filled) {
            case .bytes(let count):
                filled += count
                return
            case .closed: throw connection!.closed()
            case .nothing:
                let left = deadline - SocketWait.now()
                guard left > 0 else {
                    throw connection!.silent("did not answer PSYNC", configuration.joinSeconds)
                }
                if try connection!.wait(seconds: left) == .woken {
                    throw connection!.interrupted()
                }
            }
        }
    }
}
