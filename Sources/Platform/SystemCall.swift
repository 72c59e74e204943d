/// The system calls that go through `SystemCalls`; the raw value is the verb in messages.
package enum SystemCall: String, Sendable, CaseIterable {
    case open, read, write, sync, lock, allocate, truncate, rename, link, list
    case remove
    case makeDirectory = "make directory"
    case inspect = "look up"
}
