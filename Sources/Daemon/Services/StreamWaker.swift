import Model

/// Wakes a stream from any thread.
struct StreamWaker: @unchecked Sendable {
    // @unchecked: only `wake` is called, which the role allows from any thread.
    private let stream: any ChangeSource

    init(_ stream: any ChangeSource) { self.stream = stream }

    func wake() { stream.wake() }
}
