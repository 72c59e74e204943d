package import Model
import Platform

/// A TCP port of 127.0.0.1 that nothing listens on, given out once per process.
///
/// It lies below the range that the kernel takes for outgoing connections (32768 and up), so that
/// none of those can take it while a server is being restarted.
package func freePort() throws(TidemarkError) -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 20000..<32000)
        let fresh = givenPorts.update { $0.insert(port).inserted }
        if fresh, LoopbackPort.isFree(UInt16(port)) { return port }
    }
    throw TidemarkError(.failed, "found no free port on 127.0.0.1")
}

private let givenPorts = Monitor<Set<Int>>([])
