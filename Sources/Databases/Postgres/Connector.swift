import CLibPQ
import Glibc
import Model
import Platform

/// Makes one connection, host by host, without ever blocking longer than it may.
struct Connector {
    let configuration: PostgresConfiguration
    let mode: PostgresConfiguration.Mode
    let wake: WakeSignal?

    init(
        _ configuration: PostgresConfiguration, _ mode: PostgresConfiguration.Mode,
        _ wake: WakeSignal?
    ) {
        self.configuration = configuration
        self.mode = mode
        self.wake = wake
    }

    /// How one attempt ended.
    enum Outcome: Equatable {
        case connected, failed, interrupted
        /// This host does not answer.
        case hangs(host: String, port: String)
    }

    /// The caller owns the connection.
    func connect() throws(TidemarkError) -> OpaquePointer {
        var hosts: HostList?
        while true {
            guard let raw = unsafe start(hosts) else {
                throw TidemarkError(.failed, "libpq has no memory for a connection")
            }
            let outcome: Outcome
            do throws(TidemarkError) {
                outcome = try unsafe establish(raw)
            } catch {
                unsafe PQfinish(raw)
                throw error
            }
            if outcome == .connected { return unsafe raw }
            let rest = unsafe remaining(raw, outcome)
            let failure = unsafe failure(raw, outcome)
            unsafe PQfinish(raw)
            guard let rest else { throw failure }
            hosts = rest
        }
    }

    private func start(_ hosts: HostList?) -> OpaquePointer? {
        let parameters = configuration.parameters(mode, hosts)
        var names: [UnsafePointer<CChar>?] = unsafe parameters.map {
            unsafe UnsafePointer(strdup($0.0))
        }
        var values: [UnsafePointer<CChar>?] = unsafe parameters.map {
            unsafe UnsafePointer(strdup($0.1))
        }
        unsafe names.append(nil)
        unsafe values.append(nil)
        defer {
            unsafe (names + values).forEach {
                unsafe free(UnsafeMutableRawPointer(mutating: $0))
            }
        }
        return unsafe PQconnectStartParams(&names, &values, 1)
    }

    private func establish(_ raw: OpaquePointer) throws(TidemarkError) -> Outcome {
        // Verbose texts carry the SQLSTATE, the only part of a refusal that is never translated.
        unsafe PQsetErrorVerbosity(raw, PQERRORS_VERBOSE)
        var status = PGRES_POLLING_WRITING
        var host = unsafe here(raw)
        var deadline = SocketWait.now() + configuration.connectSeconds
        while unsafe PQstatus(raw) != CONNECTION_BAD {
            let current = unsafe here(raw)
            if current != host {
                host = current
                deadline = SocketWait.now() + configuration.connectSeconds
            }
            switch status {
            case PGRES_POLLING_OK: return .connected
            case PGRES_POLLING_FAILED: return .failed
            default: break
            }
            let events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT
            let left = deadline - SocketWait.now()
            guard left > 0 else { return .hangs(host: host[0], port: host[1]) }
            let waited = try unsafe SocketWait.wait(PQsocket(raw), events, wake, seconds: left)
            if waited == .woken { return .interrupted }
            if waited == .ready { status = unsafe PQconnectPoll(raw) }
        }
        return .failed
    }

    private func here(_ raw: OpaquePointer) -> [String] {
        [
            unsafe PQhost(raw).map { unsafe String(cString: $0) } ?? "",
            unsafe PQport(raw).map { unsafe String(cString: $0) } ?? "",
        ]
    }

    /// The hosts left to try after one that hangs.
    private func remaining(_ raw: OpaquePointer, _ outcome: Outcome) -> HostList? {
        guard case .hangs(let host, let port) = outcome, let list = unsafe PQconninfo(raw) else {
            return nil
        }
        defer { unsafe PQconninfoFree(list) }
        return HostList(unsafe Connection.values(list)).dropping(host, port: port)
    }

    private func failure(_ raw: OpaquePointer, _ outcome: Outcome) -> TidemarkError {
        let context = configuration.context(mode, place: configuration.place)
        switch outcome {
        case .interrupted:
            return TidemarkError(
                .sourceUnreachable, "connecting to Postgres at \(context.place) was cut short")
        case .hangs(let host, let port):
            let place = HostList.Host(name: host, address: "", port: port).place
            let seconds = configuration.connectSeconds
            return ConnectionFailure(
                state: "", message: "\(place) accepted no connection within \(seconds) s"
            ).error(context)
        case .connected, .failed:
            let text = unsafe PQerrorMessage(raw).map { unsafe String(cString: $0) } ?? ""
            return ConnectionFailure(connectionText: configuration.scrub(text)).error(context)
        }
    }
}
