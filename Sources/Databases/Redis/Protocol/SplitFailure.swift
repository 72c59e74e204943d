package import Model

/// Bytes that are no replication stream.
package struct SplitFailure: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// A command begins with `*`. `-` means that the server sent an error instead.
        case notACommand(UInt8)
        case notAnArgument(UInt8)
        case notANumber(UInt8)
        case lineEndMissing
        case emptyCommand
        case tooManyArguments
        case argumentTooLong
    }

    /// Of the offending byte.
    package var position: UInt64
    package var reason: Reason

    package init(position: UInt64, reason: Reason) {
        self.position = position
        self.reason = reason
    }
}

extension SplitFailure: CustomStringConvertible {
    package var description: String {
        "the replication stream is damaged at offset \(position): \(what)"
    }

    private var what: String {
        switch reason {
        case .notACommand(let byte): "byte \(byte) where a command begins"
        case .notAnArgument(let byte): "byte \(byte) where an argument begins"
        case .notANumber(let byte): "byte \(byte) in a number"
        case .lineEndMissing: "a line does not end where it should"
        case .emptyCommand: "a command without a name"
        case .tooManyArguments: "more arguments than a server accepts"
        case .argumentTooLong: "an argument longer than a server accepts"
        }
    }

    /// As an error of an archived file.
    package var archiveDamaged: TidemarkError {
        TidemarkError(
            .archiveDamaged, description, remedy: "run `tidemark verify --deep` to see what is left"
        )
    }
}
