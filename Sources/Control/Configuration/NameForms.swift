extension ValueForm where Value == String {
    /// The name of a thing of the configuration: it ends up in paths of the control API and in file
    /// names.
    static var name: Self {
        Self { text throws(FormProblem) in try requireName(text, byteLimit: 63, what: "a name") }
    }

    /// A Linux network device: the kernel's own rule (`dev_valid_name`, IFNAMSIZ 16 with its final
    /// zero), and no `%`, which the kernel would take for a pattern.
    static var device: Self {
        Self { text throws(FormProblem) in
            let name = try requireName(text, byteLimit: 15, what: "a device name")
            guard !name.contains(where: { $0.isWhitespace || $0 == ":" || $0 == "%" }) else {
                throw FormProblem("\(quoted(text)) has white space, ':' or '%': no device has")
            }
            return name
        }
    }

    /// A file system path from the root.
    static func absolutePath(byteLimit: Int) -> Self {
        Self { text throws(FormProblem) in
            guard text.hasPrefix("/") else {
                throw FormProblem("\(quoted(text)) is not an absolute path: it begins with /")
            }
            guard text.utf8.count <= byteLimit else {
                let size = "the path has \(text.utf8.count) bytes"
                throw FormProblem("\(size), at most \(byteLimit) are possible: use a shorter one")
            }
            guard !text.unicodeScalars.contains(where: isControl) else {
                throw FormProblem("\(quoted(text)) has a control character")
            }
            return text
        }
    }
}

private func requireName(
    _ text: String, byteLimit: Int, what: String
) throws(FormProblem) -> String {
    guard !text.isEmpty else { throw FormProblem("\(what) is empty: write one") }
    guard text.utf8.count <= byteLimit else {
        let size = "\(quoted(text)) has \(text.utf8.count) bytes"
        throw FormProblem("\(size): \(what) has at most \(byteLimit)")
    }
    guard !text.contains("/"), text != ".", text != "..",
        !text.unicodeScalars.contains(where: isControl)
    else {
        let rule = "without '/' and control characters, not '.' or '..'"
        throw FormProblem("\(quoted(text)) cannot be \(what): write one \(rule)")
    }
    guard text.first?.isWhitespace != true, text.last?.isWhitespace != true else {
        throw FormProblem("\(quoted(text)) begins or ends with white space")
    }
    return text
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
}
