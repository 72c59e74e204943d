import Model
import Testing

@testable import Daemon

@Suite struct URLTests {
    @Test(arguments: [
        ("postgresql://u:p@h:1,i:2/d?a=b", "postgresql://u:***@h:1,i:2/d?a=b"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql:///d?host=/run", "postgresql:///d?host=/run"),
        ("POSTGRES://u:p:q@h", "postgres://u:***@h"),
        ("postgres://u:p@q@h/d", "postgres://u:***@h/d"),
        (
            "postgres://h/d?passfile=/x&sslpassword=y&Password=z&flag",
            "postgres://h/d?passfile=/x&sslpassword=***&Password=***&flag"
        ),
        ("redis://:p@h", "redis://:***@h"),
        ("mongodb+srv://u:p@h/?tls=true", "mongodb+srv://u:***@h/?tls=true"),
        ("s3://key:secret@b/x?secret_key=1&region=r", "s3://key:***@b/x?secret_key=***&region=r"),
        ("postgres://u:@h", "postgres://u:***@h"),
    ])
    func `a printed URL has no password`(url: String, redacted: String) throws {
        #expect(try #require(URLParts(url)).redacted == redacted)
    }

    @Test(arguments: [
        ("postgresql://h/ledger", DatabaseKind.postgres, "ledger"), ("postgres://h", .postgres, ""),
        ("mongodb://h/shop?x=y", .mongodb, "shop"), ("rediss://h/0", .redis, "0"),
        ("redis+unix:///run/redis.sock", .redis, "run"),
    ])
    func `the scheme tells the kind`(url: String, kind: DatabaseKind, database: String) throws {
        let parsed = try #require(SourceURL(url))
        #expect(parsed.kind == kind && parsed.database == database)
    }

    @Test(arguments: [
        "", "postgres", "://h", "mysql://h", "postgres:/h", "postgres://h /d", "postgres://h\n/d",
        "1postgres://h", "file:///x", "host=db user=x",
    ])
    func `what is no database's URL is none`(url: String) { #expect(SourceURL(url) == nil) }

    @Test(arguments: [
        ("file:///var/lib/x", "/var/lib/x"), ("/srv/a", "/srv/a"),
        ("file:///srv/a//b/", "/srv/a/b"),
        ("file://localhost/srv/a", "/srv/a"), ("file:///srv/with%20blank", "/srv/with blank"),
        ("/srv/./a", "/srv/a"),
    ])
    func `a folder is a repository`(url: String, path: String) {
        #expect(RepositoryURL(url) == .file(path: path))
    }

    @Test(arguments: [
        "", "/", "file:///", "relative/path", "./x", "file://relative/x", "file:///a/../b", "/a/..",
        "file:///a%2", "file:///a%zz", "file:///a%00b", "file:///a?x=y", "s3://", "http://h/x",
        "file:///a%ff", "file:///a%+1",
    ])
    func `what is no repository is none`(url: String) { #expect(RepositoryURL(url) == nil) }

    @Test func `a bucket's URL keeps its keys to itself`() throws {
        let url = try #require(
            RepositoryURL("s3://bucket/prefix?region=eu&secret_access_key=hunter2"))
        #expect(url.description == "s3://bucket/prefix?region=eu&secret_access_key=***")
        #expect(!String(reflecting: url).contains("hunter2"))
    }

    @Test func `addresses to listen on`() throws {
        #expect(try #require(ListenAddress("127.0.0.1:9187")).port == 9187)
        #expect(try #require(ListenAddress("[::1]:80")).host == "::1")
        #expect(try #require(ListenAddress("[::1]:80")).description == "[::1]:80")
        #expect(try #require(ListenAddress(":9187")).host.isEmpty)
        for text in [
            "", "9187", "h", "h:", "h:0", "h:65536", "h:-1", "::1:80", "h h:80", "h:80:90",
        ] {
            #expect(ListenAddress(text) == nil)
        }
    }
}
