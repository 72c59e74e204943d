import Model

/// Where a timeline ends and the next one begins.
extension Stream {
    /// The history files learned so far; durable before any WAL of their timelines is handed over.
    func attachDocuments(_ sink: any ChangeSink) throws(TidemarkError) {
        while let document = machine.documents.first {
            try sink.attach(document.name, timeline: document.timeline, document.content)
            machine.documents.removeFirst()
        }
    }

    /// The stream has ended: the timeline is over, the server shuts down, or it failed.
    func ended(_ sink: any ChangeSink) throws(TidemarkError) -> StreamTurn {
        var action = try machine.handle(endReplies())
        while true {
            switch action {
            case .ask(let command): action = try machine.handle(try connection!.ask(command))
            case .timelineEnded(let next):
                try attachDocuments(sink)
                return .timelineEnded(next: next)
            case .finished: return .finished
            case .askSQL, .stream: preconditionFailure("a stream that ended cannot go on")
            }
        }
    }

    /// The results behind the stream. After the server's "done" it waits for ours.
    func endReplies() throws(TidemarkError) -> [ConnectionReply] {
        var replies: [ConnectionReply] = []
        while true {
            let reply = try connection!.reply()
            switch reply {
            case .copyIn: try connection!.endCopy()
            case .none: return replies
            case .done(let tag) where tag.hasPrefix("COPY"):
                // A controlled shutdown: the server closes the connection behind this.
                return replies + [reply]
            case .copyBoth, .copyOut, .done, .failed, .rows: replies.append(reply)
            }
        }
    }

    /// Starts the timeline that the last pull announced; a turn when it is over at once.
    func startNext(_ sink: any ChangeSink) throws(TidemarkError) -> StreamTurn? {
        var action = machine.startNext()
        while true {
            switch action {
            case .ask(let command): action = try machine.handle(try connection!.ask(command))
            case .stream:
                guard let next = try awaitStart() else { return nil }
                action = next
            case .timelineEnded(let next):
                try attachDocuments(sink)
                return .timelineEnded(next: next)
            case .finished: return .finished
            case .askSQL: preconditionFailure("the slot is known by now")
            }
        }
    }

    func shutDown() -> TidemarkError {
        TidemarkError(
            .sourceUnreachable, "Postgres at \(machine.context.place) is shutting down",
            remedy: "start the server; Tidemark connects again by itself")
    }
}
