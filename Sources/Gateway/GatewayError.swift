/// Why the gateway cannot start or go on: one line for an operator that says what to do.
public struct GatewayError: Error, CustomStringConvertible, Equatable {
    public let description: String

    public init(_ description: String) { self.description = description }
}
