import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Model
import NIOSSL

/// TLS of the monitoring server: the certificate and key are read once, at the start.
struct ServerTLS: Sendable {
    private let configuration: TLSConfiguration

    /// Throws `configuration` naming the file that cannot be used.
    init(_ files: TLSFiles) throws(TidemarkError) {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(files.certificate)
        } catch {
            throw Self.unusable("certificate", files.certificate, error)
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        } catch {
            throw Self.unusable("key", files.key, error)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        do {
            // A key of another certificate is found here, not at the first request.
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Self.unusable("key", files.key, error)
        }
        self.configuration = configuration
    }

    /// The same server, inside TLS.
    func around(_ server: HTTPServerBuilder) throws -> HTTPServerBuilder {
        try .tls(server, tlsConfiguration: configuration)
    }

    private static func unusable(
        _ what: String, _ path: String, _ cause: any Error
    ) -> TidemarkError {
        TidemarkError(
            .configuration, "monitoring.\(what): \(path) cannot be used",
            remedy: "give PEM files that this user may read and that belong together",
            cause: cause)
    }
}
