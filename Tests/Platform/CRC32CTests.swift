import Platform
import Testing

@Suite struct CRC32CTests {
    @Test func `the check value of the catalogue, in any split`() {
        let digits = Array("123456789".utf8)
        for cut in 0...digits.count {
            var checksum = CRC32C()
            checksum.update(digits.span.bytes.extracting(0..<cut))
            checksum.update(digits.span.bytes.extracting(cut..<digits.count))
            #expect(checksum.value == 0xE306_9283)
        }
    }

    @Test func `nothing has the checksum zero`() {
        #expect(CRC32C().value == 0)
    }
}
