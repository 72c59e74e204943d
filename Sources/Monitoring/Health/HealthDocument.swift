import Model

/// The body of `/health/database`: the document of `status --json`, and before it the verdict.
struct HealthDocument: Encodable {
    let document: StatusDocument
    let verdict: HealthVerdict

    init(_ document: StatusDocument) {
        self.document = document
        verdict = HealthVerdict(document)
    }

    private enum CodingKeys: String, CodingKey { case status, problems }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(verdict.isHealthy ? "ok" : "failing", forKey: .status)
        try container.encode(verdict.problems, forKey: .problems)
        try document.encode(to: encoder)
    }
}
