extension RawSpan {
    /// - Precondition: inside the span.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount, "a byte lies inside its span")
        return unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    func append(to array: inout [UInt8]) {
        unsafe withUnsafeBytes { unsafe array.append(contentsOf: $0) }
    }
}
