/// Where one element of a document lies: offsets into the bytes that were walked.
struct BSONElement: Hashable, Sendable {
    var type: BSONType
    /// Without the zero byte at its end.
    var name: Range<Int>
    var value: Range<Int>
}
