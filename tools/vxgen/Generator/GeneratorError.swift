/// Why a run cannot start or go on: one line for the operator, `where: what: what to do`.
public struct GeneratorError: Error, Equatable, CustomStringConvertible {
    /// The option or the thing it is about, as in `device veth0`.
    public let place: String
    public let what: String
    public let remedy: String

    public init(_ place: String, _ what: String, remedy: String) {
        self.place = place
        self.what = what
        self.remedy = remedy
    }

    public var description: String { "\(place): \(what): \(remedy)" }
}
