import Testing

@testable import Mongo

/// Updates as change streams describe them.
@Suite struct DescribedUpdateTests {
    private func json(_ text: String) throws -> BSONDocument {
        try ExtendedJSON.parse(Array(text.utf8), "a test's document")
    }

    private func applied(_ description: String, to document: String) throws -> BSONDocument {
        let outcome = try DescribedUpdate(json(description)).applied(to: json(document))
        #expect(outcome.misses == 0)
        return outcome.document
    }

    @Test func `fields are set, removed, and made in the order they are told`() throws {
        #expect(
            try applied(
                #"{"updatedFields": {"z": 1, "b": 2, "d.y": 5, "a": 9}, "removedFields": ["c"]}"#,
                to: #"{"_id": 1, "b": 0, "c": 0, "d": {"x": 1}}"#)
                == json(#"{"_id": 1, "b": 2, "d": {"x": 1, "y": 5}, "z": 1, "a": 9}"#))
    }

    @Test func `an array is cut before its elements are set`() throws {
        #expect(
            try applied(
                #"""
                {"updatedFields": {"a.1": 7}, "removedFields": [],
                 "truncatedArrays": [{"field": "a", "newSize": 2}]}
                """#, to: #"{"_id": 1, "a": [1, 2, 3, 4]}"#)
                == json(#"{"_id": 1, "a": [1, 7]}"#))
        #expect(
            try applied(
                #"{"truncatedArrays": [{"field": "o.a", "newSize": 0}]}"#,
                to: #"{"_id": 1, "o": {"a": [1, 2]}}"#) == json(#"{"_id": 1, "o": {"a": []}}"#))
    }

    @Test func `paths that could mean two things mean what the server says`() throws {
        #expect(
            try applied(
                #"""
                {"updatedFields": {"a.b": 2, "o.0.x": 3},
                 "disambiguatedPaths": {"a.b": ["a.b"], "o.0.x": ["o", "0", "x"]}}
                """#, to: #"{"_id": 1, "a.b": 1, "a": {"b": 0}, "o": {"0": {"x": 1}}}"#)
                == json(#"{"_id": 1, "a.b": 2, "a": {"b": 0}, "o": {"0": {"x": 3}}}"#))
        #expect(
            try applied(
                #"{"updatedFields": {"l.1.x": 3}, "disambiguatedPaths": {"l.1.x": ["l", 1, "x"]}}"#,
                to: #"{"_id": 1, "l": [0, {"x": 1}]}"#)
                == json(#"{"_id": 1, "l": [0, {"x": 3}]}"#))
    }
}
