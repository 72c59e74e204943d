import Model
import Yams

/// YAML text to a `SettingNode` tree; the only place that knows the YAML library.
enum YAMLDocument {
    /// Nested deeper than any configuration is; a limit, since the tree is walked by recursion.
    static let depthLimit = 16

    /// - Parameter file: how the file is named in messages. Nil when the text holds no document.
    static func parse(_ text: String, file: String) throws(TidemarkError) -> SettingNode? {
        let root: Node?
        do {
            // The encoding is given since the library would else look for it in the environment.
            root = try Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw complaint(error, file: file)
        } catch {
            throw TidemarkError(.configuration, "\(file): not readable as YAML")
        }
        guard let root else { return nil }
        return try convert(root, depth: 0, file: file)
    }

    private static func convert(
        _ node: Node, depth: Int, file: String
    ) throws(TidemarkError) -> SettingNode {
        let line = node.mark?.line ?? 1
        guard depth < depthLimit else {
            throw TidemarkError(
                .configuration, "\(file):\(line): nested more than \(depthLimit) levels deep")
        }
        switch node {
        case .scalar(let scalar):
            return .scalar(scalar.string, isNull: isNull(scalar), line: line)
        case .sequence(let sequence):
            var items: [SettingNode] = []
            for item in sequence {
                items.append(try convert(item, depth: depth + 1, file: file))
            }
            return .sequence(items, line: line)
        case .mapping(let mapping):
            return .mapping(try pairs(mapping, depth: depth, file: file), line: line)
        case .alias:
            // The parser replaces aliases by what they stand for.
            throw TidemarkError(.configuration, "\(file):\(line): an alias without anchor")
        }
    }

    private static func pairs(
        _ mapping: Node.Mapping, depth: Int, file: String
    ) throws(TidemarkError) -> [SettingPair] {
        var pairs: [SettingPair] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let scalar) = key else {
                throw TidemarkError(
                    .configuration, "\(file):\(line): a key must be a single word",
                    remedy: "put quotes around a value that starts with [ or {")
            }
            // Equal texts in different quotes pass the library's own check for duplicates.
            if let first = pairs.first(where: { $0.key == scalar.string }) {
                throw duplicate(scalar.string, file: file, line: max(line, first.line))
            }
            pairs.append(
                SettingPair(
                    key: scalar.string, line: line,
                    value: try convert(value, depth: depth + 1, file: file)))
        }
        return pairs
    }

    private static func isNull(_ scalar: Node.Scalar) -> Bool {
        guard scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func duplicate(_ key: String, file: String, line: Int) -> TidemarkError {
        TidemarkError(
            .configuration, "\(file):\(line): \(key): the key stands twice in its section",
            remedy: "remove one of the two, or join them")
    }

    /// The library's errors quote the document, which may hold passwords: only position and problem
    /// are taken over.
    private static func complaint(_ error: YamlError, file: String) -> TidemarkError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return TidemarkError(
                .configuration, "\(file):\(mark.line): not valid YAML: \(problem)",
                remedy: "look at line \(mark.line), column \(mark.column), and the line above it")
        case .duplicatedKeysInMapping(let keys, let context):
            return duplicate(keys.joined(separator: ", "), file: file, line: context.mark.line)
        case .reader(let problem, _, _, _):
            return TidemarkError(.configuration, "\(file): not valid YAML: \(problem)")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return TidemarkError(.configuration, "\(file): not readable as YAML")
        }
    }
}
