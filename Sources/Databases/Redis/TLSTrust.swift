/// Which certificates a TLS connection trusts and shows; paths of PEM files, nil for the system's
/// and for none.
package struct TLSTrust: Hashable, Sendable {
    package var authorities: String?
    package var certificate: String?
    package var key: String?

    package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}
