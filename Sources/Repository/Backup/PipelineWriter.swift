import Model
import Platform
import Segments

/// The last stage of a base backup: takes encoded pieces in order and stores them, file by file.
final class PipelineWriter {
    private let plan: BackupPipeline.Plan
    private var open: StoredFileWriter?
    private var files: [StoredFile] = []

    init(_ plan: BackupPipeline.Plan) { self.plan = plan }

    /// Runs until the last piece is stored; after a failure of any thread the open object is gone.
    func run(_ state: Monitor<PipelineState>) throws(TidemarkError) -> [StoredFile] {
        do throws(TidemarkError) {
            while case .work(let piece)? = state.wait({ $0.takeEncoded() }) {
                try store(piece)
                state.update { $0.storedBytes += UInt64(piece.bytes.count) }
            }
            if let failure = state.read({ $0.failure }) { throw failure }
        } catch {
            open?.abort()
            throw error
        }
        precondition(open == nil, "the last piece of a file ends it")
        return files
    }

    private func store(_ piece: PipelineState.Encoded) throws(TidemarkError) {
        let file: StoredFileWriter
        if let open {
            file = open
        } else {
            let name = piece.file.name + plan.compression.suffix
            file = try StoredFileWriter(
                plan.store, folder: plan.folder, name: name, file: piece.file)
            open = file
        }
        try file.write(piece.bytes, contentBytes: piece.contentBytes)
        guard piece.endsFile else { return }
        files.append(try file.finish())
        open = nil
    }
}
