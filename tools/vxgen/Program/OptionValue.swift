/// Values of options as they were typed.
enum OptionValue {
    /// - Throws: `Failure` with status 2 that names option and value.
    static func read<Value>(
        _ name: String, _ text: String, _ form: (String) throws(Settings.Problem) -> Value
    ) throws(Failure) -> Value {
        do throws(Settings.Problem) {
            return try form(text)
        } catch {
            throw Failure("--\(name) \(text): \(error.text)", status: 2)
        }
    }
}
