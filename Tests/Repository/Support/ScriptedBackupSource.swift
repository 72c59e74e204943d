import Model

/// A base backup made of steps that a test wrote down.
final class ScriptedBackupSource: BaseBackupSource {
    enum Step: Sendable {
        case file(BaseBackupFile)
        case content([UInt8])
        case call(@Sendable () throws(TidemarkError) -> Void)
        case end(BaseBackupEnd)
    }

    private let start: BaseBackupStart
    private var steps: [Step]
    private var next = 0
    private(set) var isClosed = false
    var beginError: TidemarkError?

    init(_ start: BaseBackupStart, _ steps: [Step]) {
        self.start = start
        self.steps = steps
    }

    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        if let beginError { throw beginError }
        return start
    }

    func pull(into sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        defer { next += 1 }
        switch steps[next] {
        case .file(let file): try sink.begin(file)
        case .content(let bytes): try sink.append(bytes.span.bytes)
        case .call(let body): try body()
        case .end(let end): return end
        }
        return nil
    }

    func close() { isClosed = true }
}
