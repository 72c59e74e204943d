/// Where and for whom the monitoring server listens.
package struct HTTPOptions: Sendable, Hashable {
    /// Address or name; empty for every address.
    package var host: String
    package var port: Int
    /// What `Authorization: Bearer …` has to carry; nil: anybody who reaches the port may look.
    package var token: String?

    package init(host: String, port: Int, token: String? = nil) {
        self.host = host
        self.port = port
        self.token = token
    }
}
