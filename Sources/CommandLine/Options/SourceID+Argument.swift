import ArgumentParser
import Model

extension SourceID: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
