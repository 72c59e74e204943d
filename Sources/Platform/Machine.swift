import Glibc

/// What the machine is.
package enum Machine {
    /// Processors this process may run on; at least one.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
