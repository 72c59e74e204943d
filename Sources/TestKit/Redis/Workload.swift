import Model
import Platform

/// Commands of every kind that a stream can carry, in five databases.
package enum Workload {
    /// Loads the functions that the workload calls; nothing before 7.0, which has none.
    package static let functions =
        RedisServer.majorVersion < 7
        ? []
        : resp([
            "FUNCTION", "LOAD",
            "#!lua name=lib\nredis.register_function('bump', function(keys, args) "
                + "redis.call('INCR', keys[1]); redis.call('RPUSH', keys[1]..':l', args[1]); "
                + "return redis.call('SPOP', keys[1]..':s') end)",
        ])

    /// So many commands, ready for `RedisServer.pipeAllowingErrors`.
    package static func round(_ count: Int, using random: inout some RandomNumberGenerator)
        -> [UInt8]
    {
        (0..<count).flatMap { _ in one(&random).flatMap(resp) }
    }

    private static func one(_ random: inout some RandomNumberGenerator) -> [[String]] {
        let key = "k\(Int.random(in: 0..<400, using: &random))"
        let value = String(UInt64.random(in: 0..<(1 << 40), using: &random))
        let life = String(Int.random(in: 1...2000, using: &random))
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return [["SELECT", String(Int.random(in: 0..<5, using: &random))]]
        case 1: return [["SET", "s:" + key, value, "PX", life]]
        case 2: return [["SET", "s:" + key, value], ["PEXPIRE", "s:" + key, life]]
        case 3: return [["HSET", "h:" + key, "f" + life, value], ["EXPIRE", "h:" + key, "1"]]
        case 4: return [["SADD", "{x}" + key + ":s", value, life, key]]
        case 5: return [["SPOP", "{x}" + key + ":s", "2"]]
        case 6: return [["XADD", "x:" + key, "MAXLEN", "~", "10", "*", "f", value]]
        case 7: return [["MULTI"], ["INCR", "n:" + key], ["LPUSH", "l:" + key, value], ["EXEC"]]
        case 8: return [["FCALL", "bump", "1", "{x}" + key, value]]
        case 9:
            return [
                [
                    "EVAL",
                    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]); "
                        + "return redis.call('INCRBYFLOAT', KEYS[1]..'f', 1.5)", "1", "e:" + key,
                    value,
                    life,
                ]
            ]
        case 10: return [["ZADD", "z:" + key, life, value], ["ZPOPMIN", "z:" + key]]
        case 11: return [["DEL", "s:" + key, "h:" + key], ["GETEX", "s:" + key, "PX", life]]
        case 12: return [["PUBLISH", "channel", value]]
        case 13: return [["SET", "b:" + key, "\u{0}\r\n*3\r\n$EOF:#TS:1\r\n" + value]]
        case 14: return [["COPY", "b:" + key, "c:" + key, "DB", "3", "REPLACE"]]
        default: return [["SETEX", "t:" + key, "1", value], ["PERSIST", "t:" + key]]
        }
    }
}
