import Glibc

/// Decrypted bytes that OpenSSL keeps back.
///
/// libpq reads at most its buffer's free space (8 KiB at least) of a TLS record of up to 16 KiB;
/// the rest stays inside OpenSSL, and `poll` on the socket sleeps although a message is there.
/// libpq has no call for it, so OpenSSL is asked itself, through the library that libpq has loaded.
@safe
struct HiddenBytes {
    private typealias Pending = @convention(c) (UnsafeMutableRawPointer) -> Int32
    private let session: UnsafeMutableRawPointer?
    private let pending: Pending?
    private let isUnknown: Bool

    /// - Parameters:
    ///   - session: OpenSSL's `SSL *`; nil when the connection has none.
    ///   - isEncrypted: By whatever means.
    init(session: UnsafeMutableRawPointer?, isEncrypted: Bool) {
        unsafe self.session = session
        let symbol = unsafe dlsym(nil, "SSL_pending")
        unsafe pending = symbol.map { unsafe unsafeBitCast($0, to: Pending.self) }
        isUnknown = unsafe isEncrypted && (session == nil || pending == nil)
    }

    /// Nil when it cannot be known.
    func count() -> Int? {
        if isUnknown { return nil }
        guard let session = unsafe session, let pending = unsafe pending else { return 0 }
        return unsafe Int(pending(session))
    }
}
