/// Reproducible numbers for the property tests here (Model stands below the test kit).
struct NumberStream: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state == 0 ? refill() : state &* 0x2545_F491_4F6C_DD1D
    }

    private mutating func refill() -> UInt64 {
        state = 88_172_645_463_325_252
        return next()
    }
}
