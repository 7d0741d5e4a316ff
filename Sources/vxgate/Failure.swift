import ControlAPI

/// Why a command did not do what it was asked for. Printed as one line,
/// `vxgate: <where>: <what>: <what to do>`, after one line for each detail.
struct Failure: Error {
    let place: String
    let text: String
    let details: [String]
    /// 1 when the thing asked for failed, 2 for wrong usage or an invalid file.
    let status: Int32

    init(at place: String, _ text: String, details: [String] = [], status: Int32 = 1) {
        self.place = place
        self.text = text
        self.details = details
        self.status = status
    }

    /// What the daemon or the way to it said.
    init(_ error: ControlClientError, at place: String) {
        switch error {
        case .refused(let status, let text, let details):
            self.init(at: place, text, details: details, status: status == 422 ? 2 : 1)
        default:
            self.init(at: "control", error.description)
        }
    }
}

/// Standard output was closed by its reader, as in `vxgate show fdb | head`: nothing to complain
/// about.
struct TerminalClosed: Error {
    let status: Int32
}
