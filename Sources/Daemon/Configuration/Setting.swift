/// One value of a configuration, checked against its option's type.
struct Setting: Sendable {
    /// With everything from the environment filled in.
    var text: String
    var line: Int
}
