extension Configuration {
    /// A part that this version checks but does not act on.
    private struct InactivePart {
        let name: String
        let isPresent: @Sendable (Configuration) -> Bool
    }

    /// One row for each such part. Whoever makes a part work deletes its row.
    private static let inactiveParts: [InactivePart] = [
        InactivePart(name: "state") { $0.sources.isWritten("state") || $0.state != State() }
    ]

    /// The names of those parts of this configuration that have no effect in this version.
    public func inactive() -> [String] {
        Self.inactiveParts.filter { $0.isPresent(self) }.map(\.name)
    }
}
