private import CPlatform
import Model
import Glibc

/// The life of one child process, seen from the thread that starts, feeds, reads and reaps it.
///
/// Four descriptors are polled: the process itself, its two outputs, its input. The function ends
/// when the process has ended and what lay in its pipes at that moment has been read.
enum ProcessSupervisor {
    private static let ended = 0, output = 1, errors = 2, input = 3

    static func run(
        _ launch: ProcessLaunch, input bytes: [UInt8], _ state: Monitor<Subprocess.State>
    ) {
        var descriptors: [Int32] = []
        let pid: Int32
        do throws(TidemarkError) {
            (pid, descriptors) = try start(launch, feeds: !bytes.isEmpty)
        } catch {
            state.update { $0.started = .failure(error) }
            return
        }
        defer { for descriptor in descriptors where descriptor >= 0 { Glibc.close(descriptor) } }
        state.update { $0.started = .success(pid) }
        blockBrokenPipe()
        var sent = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            var polled = descriptors.enumerated().map { index, descriptor in
                pollfd(
                    fd: descriptor, events: Int16(index == input ? POLLOUT : POLLIN), revents: 0)
            }
            if unsafe poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
            if polled[input].revents != 0 { feed(bytes, &sent, &descriptors[input]) }
            for index in [output, errors] where polled[index].revents != 0 {
                read(&descriptors, index, &buffer, state, limit: buffer.count)
            }
            if polled[ended].revents != 0 { break }
        }
        // A grandchild may go on writing: take what a full pipe can hold, and no more.
        for index in [output, errors] {
            read(&descriptors, index, &buffer, state, limit: 1 << 20)
        }
        reap(pid, state)
    }

    /// Starts the child and returns its pid with the four descriptors, -1 where there is none.
    private static func start(
        _ launch: ProcessLaunch, feeds: Bool
    ) throws(TidemarkError) -> (Int32, [Int32]) {
        var opened: [Int32] = []
        var success = false
        var childEnds: [Int32] = []
        defer {
            for descriptor in childEnds { Glibc.close(descriptor) }
            if !success { for descriptor in opened { Glibc.close(descriptor) } }
        }
        for ours in feeds ? [0, 0, 1] : [0, 0] {
            var ends: [Int32] = [-1, -1]
            if unsafe tm_pipe(&ends, Int32(ours)) != 0 { throw noDescriptors(errno) }
            opened.append(ends[ours])
            childEnds.append(ends[1 - ours])
        }
        if !feeds { childEnds.append(unsafe tm_open("/dev/null", O_RDONLY, 0, 0)) }
        let pid = try launch.start(
            input: childEnds[2], output: childEnds[0], errors: childEnds[1])
        let process = tm_process_descriptor(pid)
        if process < 0 {
            let number = errno
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw noDescriptors(number)
        }
        success = true
        return (pid, [process, opened[0], opened[1], feeds ? opened[2] : -1])
    }

    private static func noDescriptors(_ number: Int32) -> TidemarkError {
        TidemarkError(
            .failed, "cannot open descriptors for a child process (errno \(number))",
            remedy: "raise the limit of open files (ulimit -n)")
    }

    /// Writing to a child that has closed its input shall be an error here, not the end of us. Only
    /// this thread blocks the signal; what is pending ends with the thread.
    private static func blockBrokenPipe() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private static func feed(_ bytes: [UInt8], _ sent: inout Int, _ descriptor: inout Int32) {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress! + sent, $0.count - sent)
        }
        if count > 0 { sent += count }
        let failed = count < 0 && errno != EAGAIN && errno != EINTR
        // A child that does not read its input to the end is free to do so.
        if failed || sent == bytes.count { close(&descriptor) }
    }

    private static func read(
        _ descriptors: inout [Int32], _ index: Int, _ buffer: inout [UInt8],
        _ state: Monitor<Subprocess.State>, limit: Int
    ) {
        var left = limit
        while left > 0, descriptors[index] >= 0 {
            let count = unsafe Glibc.read(descriptors[index], &buffer, buffer.count)
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            if count <= 0 { return close(&descriptors[index]) }
            left -= count
            state.update {
                if index == output {
                    $0.output.append(buffer[..<count])
                } else {
                    $0.errors.append(buffer[..<count])
                }
            }
        }
    }

    private static func close(_ descriptor: inout Int32) {
        Glibc.close(descriptor)
        descriptor = -1
    }

    private static func reap(_ pid: Int32, _ state: Monitor<Subprocess.State>) {
        state.update {
            var status: Int32 = 0
            while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
            $0.status = ExitStatus(waitStatus: status)
        }
    }
}
