/// What `monitoring.listen` may say.
package struct ListenChoice: Sendable, Hashable {
    /// Nil for `none`: nothing is served.
    package let address: ListenAddress?

    /// Nil when the text is neither an address nor `none`.
    package init?(_ text: String) {
        address = ListenAddress(text)
        if address == nil, text != "none" { return nil }
    }
}
