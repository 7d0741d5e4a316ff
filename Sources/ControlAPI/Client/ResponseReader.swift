/// An HTTP answer.
struct ControlResponse {
    var status: Int
    var body: [UInt8]
}

/// Reads one HTTP/1.1 answer (RFC 9112): status line, fields and a body by length, in chunks or up
/// to the end of the connection.
struct ResponseReader {
    /// Nothing the daemon sends comes near it; whatever does is no control socket.
    private static let longestLine = 64 << 10

    private let connection: ControlConnection
    private let path: String
    private var bytes: [UInt8] = []
    private var position = 0

    init(connection: ControlConnection) {
        self.connection = connection
        path = connection.path
    }

    mutating func read() throws(ControlClientError) -> ControlResponse {
        let statusLine = try line().split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, statusLine[0].hasPrefix("HTTP/1."),
            let status = Int(statusLine[1])
        else { throw broken("the answer is not HTTP") }
        var length: Int?
        var isChunked = false
        while case let field = try line(), !field.isEmpty {
            let parts = field.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw broken("the answer has a broken header") }
            let value = parts[1].drop { $0 == " " }.lowercased()
            switch parts[0].lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value == "chunked"
            default: break
            }
        }
        if isChunked { return ControlResponse(status: status, body: try chunks()) }
        guard let length else { return ControlResponse(status: status, body: try rest()) }
        return ControlResponse(status: status, body: try take(length))
    }

    private mutating func chunks() throws(ControlClientError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let size = try line().prefix { $0 != ";" }
            guard let count = Int(size, radix: 16), count >= 0 else {
                throw broken("the answer has a broken chunk")
            }
            guard count > 0 else { break }
            body += try take(count)
            guard try line().isEmpty else { throw broken("the answer has a broken chunk") }
        }
        while try !line().isEmpty {}
        return body
    }

    private mutating func rest() throws(ControlClientError) -> [UInt8] {
        while try connection.read(into: &bytes) {}
        return Array(bytes[position...])
    }

    private mutating func take(_ count: Int) throws(ControlClientError) -> [UInt8] {
        guard count >= 0 else { throw broken("the answer has a negative length") }
        while bytes.count - position < count { try fill() }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    private mutating func line() throws(ControlClientError) -> String {
        var end = position
        while true {
            if let found = bytes[end...].firstIndex(of: UInt8(ascii: "\n")) {
                let text = bytes[position..<found]
                position = found + 1
                return String(decoding: text.last == 13 ? text.dropLast() : text, as: UTF8.self)
            }
            end = bytes.count
            guard end - position < Self.longestLine else {
                throw broken("the answer is not HTTP")
            }
            try fill()
        }
    }

    /// Waits for more of the answer.
    private mutating func fill() throws(ControlClientError) {
        guard try connection.read(into: &bytes) else { throw broken("the answer ends too early") }
    }

    private func broken(_ reason: String) -> ControlClientError {
        .broken(path: path, reason: reason)
    }
}
