/// Why a run cannot start or go on: one line for the operator, `where: what: what to do`.
public struct GeneratorError: Error, Equatable, CustomStringConvertible {
    /// The option or the thing it is about, as in `device veth0`.
    public let place: String
    public let what: String
    public let remedy: String
    /// The command line is wrong, rather than the world.
    public let isUsage: Bool

    public init(_ place: String, _ what: String, remedy: String, isUsage: Bool = false) {
        self.place = place
        self.what = what
        self.remedy = remedy
        self.isUsage = isUsage
    }

    public var description: String { "\(place): \(what): \(remedy)" }
}
