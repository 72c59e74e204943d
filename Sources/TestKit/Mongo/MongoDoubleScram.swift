import Crypto
import FoundationEssentials

/// A user of the double, and what a server keeps of a password: never the password itself
/// (RFC 5802, section 3; RFC 7677 for SHA-256).
package struct MongoDoubleUser: Sendable {
    package let name: String
    /// Where the user was made; `authSource` of a URL.
    package let database: String
    /// Of `admin`; told by `usersInfo`. Which right is missing is a fault of its own (`failures`).
    let roles: [String]
    let salt: [UInt8]
    let rounds: Int
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    /// - Parameters:
    ///   - password: ASCII, which SASLprep leaves as it is.
    ///   - salt: of 28 bytes, as servers draw it.
    ///   - rounds: a server's own number; drivers refuse less than 4096.
    package init(
        _ name: String, password: String, on database: String = "admin",
        roles: [String] = ["backup", "clusterMonitor"], salt: [UInt8] = Array(1...28),
        rounds: Int = 15_000
    ) {
        self.name = name
        self.database = database
        self.roles = roles
        self.salt = salt
        self.rounds = rounds
        let salted = Self.salted(Array(password.utf8), salt, rounds)
        let clientKey = Self.hmac(salted, Array("Client Key".utf8))
        storedKey = Array(SHA256.hash(data: clientKey))
        serverKey = Self.hmac(salted, Array("Server Key".utf8))
    }

    /// `Hi` of RFC 5802: one block of PBKDF2.
    private static func salted(_ password: [UInt8], _ salt: [UInt8], _ rounds: Int) -> [UInt8] {
        let keyed = HMAC<SHA256>(key: SymmetricKey(data: password))
        var last = salt + [0, 0, 0, 1]
        var sum = [UInt8](repeating: 0, count: SHA256.byteCount)
        for _ in 0..<rounds {
            var one = keyed
            one.update(data: last)
            last = Array(one.finalize())
            for place in sum.indices { sum[place] ^= last[place] }
        }
        return sum
    }

    static func hmac(_ key: [UInt8], _ text: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key)))
    }
}

/// The server's side of one login by SCRAM-SHA-256. Pure: the nonce is an argument.
package struct MongoDoubleScram: Sendable {
    package let user: MongoDoubleUser
    /// What is answered to the first message: `r=…,s=…,i=…`.
    package let greeting: [UInt8]
    private let firstBare: String
    private let nonce: String

    /// Nil where the message is no first one, or of a user that there is not.
    ///
    /// - Parameters:
    ///   - first: `n,,n=user,r=nonce`.
    ///   - nonce: what the server adds to the client's.
    package init?(
        _ first: [UInt8], nonce: String, users: [MongoDoubleUser], on database: String
    ) {
        let text = String(decoding: first, as: UTF8.self)
        guard text.hasPrefix("n,,") else { return nil }
        firstBare = String(text.dropFirst(3))
        let fields = Self.fields(firstBare)
        // A comma and an equals sign of a name are written as these.
        let name = fields["n"]?.replacing("=2C", with: ",").replacing("=3D", with: "=")
        guard let mine = fields["r"], !mine.isEmpty,
            let user = users.first(where: { $0.name == name && $0.database == database })
        else { return nil }
        self.user = user
        self.nonce = mine + nonce
        let salt = Data(user.salt).base64EncodedString()
        greeting = Array("r=\(self.nonce),s=\(salt),i=\(user.rounds)".utf8)
    }

    /// `v=…`, by which the client knows the server; nil where the proof is wrong.
    ///
    /// - Parameter final: `c=biws,r=…,p=…`.
    package func answer(_ final: [UInt8]) -> [UInt8]? {
        let text = String(decoding: final, as: UTF8.self)
        let fields = Self.fields(text)
        guard let end = text.ranges(of: ",p=").last?.lowerBound, fields["c"] == "biws",
            fields["r"] == nonce, let proof = fields["p"].flatMap({ Data(base64Encoded: $0) }),
            proof.count == SHA256.byteCount
        else { return nil }
        let told = String(decoding: greeting, as: UTF8.self)
        let whole = Array("\(firstBare),\(told),\(text[..<end])".utf8)
        let signature = MongoDoubleUser.hmac(user.storedKey, whole)
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        guard Array(SHA256.hash(data: clientKey)) == user.storedKey else { return nil }
        let mine = Data(MongoDoubleUser.hmac(user.serverKey, whole)).base64EncodedString()
        return Array("v=\(mine)".utf8)
    }

    /// What a server answers that has to guess.
    var forged: [UInt8] {
        let guess = [UInt8](repeating: 0, count: SHA256.byteCount)
        return Array("v=\(Data(guess).base64EncodedString())".utf8)
    }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for part in text.split(separator: ",") where part.dropFirst().first == "=" {
            fields[String(part.prefix(1))] = String(part.dropFirst(2))
        }
        return fields
    }
}
