/// One line of what `vxgate doctor` found out.
public struct Finding: Codable, Sendable, Equatable {
    public enum Verdict: String, Codable, Sendable {
        case ok, warning, problem
        case notChecked = "not_checked"
    }

    /// What was looked at; a closed list of words, for scripts.
    public enum Check: String, Codable, Sendable, CaseIterable {
        case kernel
        case ioUring = "io_uring"
        case vtepAddress = "vtep_address"
        case forwarding
        case udpPort = "udp_port"
        case sameVTEP = "same_vtep"
        case underlayMTU = "underlay_mtu"
        case packetFilter = "packet_filter"
        case peers, ports
        case fdbARP = "fdb_arp"
        case routes
    }

    public var check: Check
    public var verdict: Verdict
    /// The peer, port, interface or entry that the line is about; nil when it is about all of them.
    public var subject: String?
    /// What was found; for a problem or a warning also what to do, for what was not checked why.
    public var text: String

    public init(_ check: Check, _ verdict: Verdict, _ text: String) {
        self.init(check, verdict, nil, text)
    }

    public init(_ check: Check, _ verdict: Verdict, _ subject: String?, _ text: String) {
        self.check = check
        self.verdict = verdict
        self.subject = subject
        self.text = text
    }

    enum CodingKeys: String, CodingKey { case check, verdict, subject, text }

    /// A subject that is absent is `null`, as everywhere in the API.
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(check, forKey: .check)
        try row.encode(verdict, forKey: .verdict)
        try row.encode(subject, forKey: .subject)
        try row.encode(text, forKey: .text)
    }
}

extension Finding: TableRow {
    public static var columns: [TextTable.Column] {
        [.text("CHECK"), .text("VERDICT"), .text("SUBJECT"), .text("FINDING")]
    }

    public var cells: [String] {
        let word = verdict == .notChecked ? "not checked" : verdict.rawValue
        return [check.rawValue, word, cell(subject), text]
    }
}
