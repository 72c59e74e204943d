/// How a program is started; the defaults suit a tool whose output is read by us.
package struct SubprocessOptions: Sendable {
    /// Added to, and stronger than, the environment of this process.
    package var environment: [String: String]
    /// Nil: the directory of this process.
    package var directory: String?
    /// Run as this user, by way of `setpriv`; needs root unless it is the present user.
    package var user: UserIdentity?
    /// Fed to standard input, which then ends. Empty: standard input is `/dev/null`.
    package var input: [UInt8]
    /// Output and error output are appended to this file instead of being kept.
    package var outputFile: String?
    /// Bytes kept of each output; older ones are dropped. Default 4 MiB.
    package var keptOutput: Int
    /// The signal the child gets when this process dies, however it dies; default none.
    package var signalOnParentDeath: ParentDeathSignal?

    /// By the names `setpriv --pdeathsig` knows.
    package enum ParentDeathSignal: String, Sendable {
        case interrupt = "SIGINT"
        case quit = "SIGQUIT"
        case terminate = "SIGTERM"
        case kill = "SIGKILL"
    }

    package init(
        environment: [String: String] = [:], directory: String? = nil, user: UserIdentity? = nil,
        input: [UInt8] = [], outputFile: String? = nil, keptOutput: Int = 4 << 20,
        signalOnParentDeath: ParentDeathSignal? = nil
    ) {
        precondition(keptOutput > 0, "a process keeps at least a byte of its output")
        self.environment = environment
        self.directory = directory
        self.user = user
        self.input = input
        self.outputFile = outputFile
        self.keptOutput = keptOutput
        self.signalOnParentDeath = signalOnParentDeath
    }
}
