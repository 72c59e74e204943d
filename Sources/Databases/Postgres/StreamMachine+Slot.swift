import Model

// The replication slot: it keeps WAL for us at the server while we are away.
extension StreamMachine {
    mutating func askSlot() -> Action {
        step = .slot
        if version >= 150_000 { return .ask("READ_REPLICATION_SLOT \(SQL.quoted(context.slot))") }
        return .askSQL(
            "SELECT slot_type, restart_lsn, NULL FROM pg_replication_slots WHERE slot_name = "
                + SQL.literal(context.slot))
    }

    mutating func readSlot(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        slot = try Self.slot(replies, context)
        switch slot {
        case .holds:
            try checkSlotIsOurs()
            return try askHistory()
        case .unknown where hasRemadeSlot, .empty where hasRemadeSlot: return try askHistory()
        // Up to 14 and without a login for SQL: try to make it, whether it exists or not.
        case .missing, .unknown: return createSlot()
        case .empty: return dropSlot()
        }
    }

    /// An archive that has never heard of the source, and a slot of our name that keeps WAL for it:
    /// most likely the archive's disk is not mounted. Going on would let the slot give up what the
    /// true archive still needs.
    private func checkSlotIsOurs() throws(TidemarkError) {
        guard resume.descriptor == nil, context.isSlotByDefault, !hasRemadeSlot else { return }
        throw Self.claimed(context, source)
    }

    static func claimed(
        _ context: ConnectionFailure.Context, _ source: SourceID
    ) -> TidemarkError {
        TidemarkError(
            .sourceRefused,
            "replication slot \(context.slot) at \(context.place) belongs to another archive of "
                + "\(source): this one has never seen it",
            remedy: "mount or name the repository that it was archived to; if this is to be a new "
                + "archive: SELECT pg_drop_replication_slot('\(context.slot)')")
    }

    /// Type, position and timeline, all NULL when there is no slot (15+), or no row (14).
    private static func slot(
        _ replies: [ConnectionReply], _ context: ConnectionFailure.Context
    ) throws(TidemarkError) -> Slot {
        for reply in replies {
            switch reply {
            case .failed(let failure): throw failure.error(context)
            case .rows(let rows):
                guard let type = rows.text(0, 0) else { return .missing }
                guard type == "physical" else { throw logical(context) }
                guard let restart = rows.lsn(0, 1) else { return .empty }
                return .holds(from: restart, timeline: rows.number(0, 2))
            case .done, .copyBoth, .copyIn, .copyOut, .none: continue
            }
        }
        return .unknown
    }

    private static func logical(_ context: ConnectionFailure.Context) -> TidemarkError {
        TidemarkError(
            .sourceRefused,
            "replication slot \(context.slot) at \(context.place) is somebody's logical slot",
            remedy: "drop or rename it: SELECT pg_drop_replication_slot('\(context.slot)')")
    }

    /// RESERVE_WAL: the slot keeps WAL from now on, not only from our first report.
    mutating func createSlot() -> Action {
        step = .slotCreated
        let option = version >= 150_000 ? "(RESERVE_WAL)" : "RESERVE_WAL"
        return .ask("CREATE_REPLICATION_SLOT \(SQL.quoted(context.slot)) PHYSICAL \(option)")
    }

    mutating func createdSlot(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        if let failure = failure(replies) {
            // 42710: it exists. Only then is it unknown what it holds.
            guard failure.state == "42710" else { throw failure.error(context) }
            return try askHistory()
        }
        hasRemadeSlot = true
        return askSlot()
    }

    /// A slot that keeps nothing is worth nothing: make it anew, so that it does from now on.
    mutating func dropSlot() -> Action {
        step = .slotDropped
        hasRemadeSlot = true
        return .ask("DROP_REPLICATION_SLOT \(SQL.quoted(context.slot))")
    }

    mutating func droppedSlot(_ replies: [ConnectionReply]) throws(TidemarkError) -> Action {
        if let failure = failure(replies), failure.state != "42704" {
            throw failure.error(context)
        }
        return createSlot()
    }
}
