/// The types of BSON values, by their number (bsonspec.org, "element").
package enum BSONType: UInt8, Sendable {
    case double = 1
    case string, document, array, binary, undefined, objectID, boolean, date, null, regex
    case pointer, code, symbol, scopedCode, int32, timestamp, int64
    case decimal = 19
    case maxKey = 127
    case minKey = 255
}
