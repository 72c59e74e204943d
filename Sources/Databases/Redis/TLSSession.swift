import Glibc
import Model
import NIOCore
import NIOEmbedded
import NIOSSL
import NIOTLS

/// TLS without a socket: bytes of the wire in, plain bytes out, and the other way round.
///
/// NIO's TLS handler runs in an embedded channel, which does no I/O of its own, so the thread that
/// owns the socket stays the only one. The embedded loop may be used only by the thread that made
/// it: a connection that is handed to another thread is opened anew there (`isOwnThread`).
final class TLSSession {
    private let channel: EmbeddedChannel
    private let place: String
    private var plain = ByteBuffer()
    /// Encrypted bytes that the kernel has not taken yet.
    var pending: ArraySlice<UInt8> = []
    /// Encrypted bytes are received here.
    var scratch = [UInt8](repeating: 0, count: 64 << 10)
    private let thread = pthread_self()
    private let watch = HandshakeWatch()

    /// Whether the server has proved who it is.
    var isReady: Bool { watch.isDone }

    var isOwnThread: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Sets up a client session; the first bytes for the wire are ready in `outgoing`.
    init(_ configuration: RedisConfiguration) throws(TidemarkError) {
        place = configuration.place
        channel = EmbeddedChannel()
        guard case .tcp(let host, let port) = configuration.endpoint else {
            throw TidemarkError(.configuration, "TLS over a unix socket makes no sense")
        }
        do {
            let context = try NIOSSLContext(configuration: Self.settings(configuration.trust))
            // An address is checked as an address, a name as a name.
            let address = try? SocketAddress(ipAddress: host, port: Int(port))
            let handler = try NIOSSLClientHandler(
                context: context, serverHostname: address == nil ? host : nil)
            channel.remoteAddress = address
            try channel.pipeline.syncOperations.addHandlers(handler, watch)
            let peer = try address ?? SocketAddress(ipAddress: "0.0.0.0", port: Int(port))
            try channel.connect(to: peer).wait()
        } catch {
            throw failure(error)
        }
    }

    /// Both the server and we prove who we are when certificates are configured for it.
    private static func settings(_ trust: TLSTrust) throws -> TLSConfiguration {
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.minimumTLSVersion = .tlsv12
        if let file = trust.authorities { settings.trustRoots = .file(file) }
        if let file = trust.certificate {
            settings.certificateChain = try NIOSSLCertificate.fromPEMFile(file).map {
                .certificate($0)
            }
        }
        if let file = trust.key {
            settings.privateKey = .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))
        }
        return settings
    }

    /// Takes bytes from the wire.
    func received(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) {
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            while var piece = try channel.readInbound(as: ByteBuffer.self) {
                plain.writeBuffer(&piece)
            }
        } catch {
            throw failure(error)
        }
    }

    /// Moves plain bytes to `buffer`; returns how many.
    func read(into buffer: inout [UInt8], at offset: Int) -> Int {
        let count = min(buffer.count - offset, plain.readableBytes)
        guard count > 0 else { return 0 }
        let part = plain.readBytes(length: count) ?? []
        buffer.replaceSubrange(offset..<offset + count, with: part)
        if plain.readableBytes == 0 { plain.clear() }
        return count
    }

    /// Encrypts bytes for the wire; before the handshake is over they are kept.
    func send(_ bytes: ArraySlice<UInt8>) throws(TidemarkError) {
        do {
            // What waits for the handshake completes later; a failure shows there.
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            try channel.throwIfErrorCaught()
        } catch {
            throw failure(error)
        }
    }

    /// Encrypted bytes for the wire.
    func outgoing() throws(TidemarkError) -> [UInt8] {
        do {
            var bytes: [UInt8] = []
            while let piece = try channel.readOutbound(as: ByteBuffer.self) {
                bytes += piece.readableBytesView
            }
            return bytes
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: any Error) -> TidemarkError {
        TidemarkError(
            .sourceRefused, "no TLS connection to Redis at \(place): \(Self.words("\(error)"))",
            remedy: "name the authority that signed the server's certificate "
                + "(`?cacert=/path/ca.pem`) and our own where it wants one (`?cert=…&key=…`)")
    }

    /// BoringSSL's name of what is wrong, in words, without the place in its sources where that was
    /// found: `tlsv1 certificate required`.
    static func words(_ error: String) -> String {
        guard let mark = error.firstRange(of: "OPENSSL_internal:") else { return error }
        let name = error[mark.upperBound...].prefix {
            $0.isUppercase || $0.isNumber || $0 == "_"
        }
        return name.lowercased().split(separator: "_").joined(separator: " ")
    }
}

/// Notes the end of the handshake.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var isDone = false

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { isDone = true }
        context.fireUserInboundEventTriggered(event)
    }
}
