/// A configuration that a text says, and what its author should know about it.
public struct ParsedConfiguration: Sendable, Equatable {
    public let configuration: Configuration
    /// Remarks on what is allowed but hardly meant, in the order of the lines.
    public let warnings: [Diagnostic]
}

extension Configuration {
    /// Reads and checks one YAML document.
    ///
    /// - Parameter fileName: what errors and warnings name as their file.
    /// - Throws: every error of the text at once; a text that is no YAML at all has one.
    public static func parse(
        text: String, fileName: String
    ) throws(ConfigurationErrors) -> ParsedConfiguration {
        let log = DiagnosticLog(file: fileName)
        guard let document = YAMLDocument(text: text, log: log) else {
            throw ConfigurationErrors(diagnostics: log.diagnostics(.error))
        }
        let configuration = ConfigurationReader(document, log: log).configuration()
        var check = ConfigurationCheck(configuration, log: log)
        check.checkAll()
        guard !log.hasErrors else {
            throw ConfigurationErrors(diagnostics: log.diagnostics(.error))
        }
        return ParsedConfiguration(
            configuration: configuration, warnings: log.diagnostics(.warning))
    }
}
