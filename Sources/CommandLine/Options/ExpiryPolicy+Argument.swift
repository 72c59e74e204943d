import ArgumentParser
import Model

extension ExpiryPolicy: ExpressibleByArgument {}
