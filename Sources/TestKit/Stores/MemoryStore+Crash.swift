import Model
import Platform

extension MemoryStore {
    private static let sector = 512

    /// Power fails: of what was not synced, every sector survives or not, by chance, and the size
    /// is anything between the synced and the last one. Open handles are dead, locks are free.
    package func crash(_ random: inout some RandomNumberGenerator) {
        state.update { state in
            // In the order of keys, so that a seed gives the same outcome every time.
            for key in state.objects.keys.sorted() {
                guard let content = state.objects[key], content.live != content.durable
                else { continue }
                state.objects[key] = Content(Self.survivors(of: content, &random))
            }
            state.generation += 1
            state.open = []
        }
    }

    private static func survivors(
        of content: Content, _ random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        let (old, new) = (content.durable, content.live)
        let size = Int.random(
            in: min(old.count, new.count)...max(old.count, new.count), using: &random)
        var bytes = old.prefix(size) + [UInt8](repeating: 0, count: max(0, size - old.count))
        for start in stride(from: 0, to: min(size, new.count), by: sector) {
            let range = start..<min(start + sector, size, new.count)
            if bytes[range] != new[range], Bool.random(using: &random) {
                bytes.replaceSubrange(range, with: new[range])
            }
        }
        return Array(bytes)
    }
}
