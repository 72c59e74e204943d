/// A value in a command to the browser.
package indirect enum BrowserValue: Encodable, Sendable, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    case text(String)
    case truth(Bool)
    case number(Double)
    case list([BrowserValue])
    case object([String: BrowserValue])

    package init(stringLiteral value: String) { self = .text(value) }
    package init(booleanLiteral value: Bool) { self = .truth(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(arrayLiteral elements: BrowserValue...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, BrowserValue)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .truth(let truth): try container.encode(truth)
        case .number(let number): try container.encode(number)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }
}

/// A command of the DevTools protocol.
struct BrowserCommand: Encodable {
    var id: Int
    var method: String
    var params: BrowserValue
    var sessionId: String?
}

/// What the browser says: the answer to a command, or an event; only what the tests look at.
struct BrowserMessage: Decodable {
    struct Answer: Decodable {
        var targetId: String?
        var sessionId: String?
        /// Base64.
        var data: String?
        var result: Remote?
        var exceptionDetails: Thrown?
    }

    struct Remote: Decodable {
        var value: String?
        var description: String?
    }

    struct Thrown: Decodable {
        var text: String
        var exception: Remote?

        var words: String { exception?.description ?? text }
    }

    struct Failure: Decodable { var message: String }

    struct Entry: Decodable {
        var level: String
        var text: String
        var url: String?
    }

    struct Event: Decodable {
        var exceptionDetails: Thrown?
        var entry: Entry?
    }

    var id: Int?
    var method: String?
    var result: Answer?
    var error: Failure?
    var params: Event?
}
