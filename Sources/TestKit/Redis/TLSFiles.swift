package import Model
import Platform

/// Certificates for TLS on the loopback: an authority (`ca`), what it has signed for a server
/// (`srv`, localhost and 127.0.0.1) and for a client (`cli`), and an authority that nobody knows
/// (`other`); each with `.crt` and `.key`.
package struct TLSFiles: Sendable {
    /// Where they lie.
    package let folder: String

    /// - Parameter folder: an existing one.
    package init(in folder: String) throws(TidemarkError) {
        self.folder = folder
        let script = """
            set -e; cd "$0"; umask 022
            key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
            for name in ca other; do
                openssl req -x509 $key -days 2 -subj "/CN=$name" -keyout $name.key -out $name.crt
            done
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > srv.ext
            printf 'subjectAltName=DNS:tidemark\\n' > cli.ext
            for name in srv cli; do
                openssl req $key -subj /CN=$name -keyout $name.key -out $name.csr
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
                    -days 2 -extfile $name.ext -out $name.crt
            done
            chmod 0644 *.key
            """
        let done = try Subprocess.run("/bin/sh", ["-c", script, folder], seconds: 60)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "openssl: \(done.errors.suffix(1000))")
        }
    }

    package func path(_ name: String) -> String { folder + "/" + name }

    /// Lines of redis.conf for a server that also listens with TLS, and asks its clients for a
    /// certificate unless told otherwise, as Redis does by itself.
    package func settings(port: Int) -> [String] {
        [
            "tls-port \(port)", "tls-cert-file \(path("srv.crt"))",
            "tls-key-file \(path("srv.key"))", "tls-ca-cert-file \(path("ca.crt"))",
        ]
    }

    /// A URL of such a server; `client` proves who it is.
    package func url(port: Int, client: Bool = true) -> String {
        "rediss://127.0.0.1:\(port)?cacert=\(path("ca.crt"))"
            + (client ? "&cert=\(path("cli.crt"))&key=\(path("cli.key"))" : "")
    }
}
