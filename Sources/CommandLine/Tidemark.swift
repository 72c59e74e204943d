@main struct Tidemark { static func main() {} }
