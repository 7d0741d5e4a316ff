import Control
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// A request's body that is one object of strings.
func decodeFields(_ bytes: [UInt8]) throws(ControlError) -> [String: String] {
    do {
        return try JSONDecoder().decode([String: String].self, from: Data(bytes))
    } catch {
        throw .malformed("the body is not a JSON object of strings")
    }
}

extension Response {
    static let json = "application/json; charset=utf-8"

    static func text(_ text: String, as mediaType: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// One object on one line.
    static func object(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        guard let bytes = try? JSONWriter.text(of: value) else {
            return Response(status: .internalServerError)
        }
        return Response(
            status: status, headers: [.contentType: json],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes + [UInt8(ascii: "\n")])))
    }

    /// An array with one row on each line, made and sent in parts so that neither the rows nor the
    /// text of a table of a million of them ever stand in memory as a whole.
    static func rows<Row: Encodable & Sendable>(
        _ rows: some RandomAccessCollection<Row> & Sendable
    ) -> Response {
        guard !rows.isEmpty else { return .text("[]\n", as: json) }
        let body = ResponseBody { body in
            let writer = JSONWriter()
            writer.append("[")
            var isFirst = true
            for row in rows {
                if !isFirst { writer.append(",\n ") }
                isFirst = false
                try writer.write(row)
                if writer.bytes.count >= partBytes {
                    try await body.write(ByteBuffer(bytes: writer.bytes))
                    writer.removeAll()
                    // Where one CPU is left for operators, others are not to wait for a long table.
                    await Task.yield()
                }
            }
            writer.append("]\n")
            try await body.write(ByteBuffer(bytes: writer.bytes))
            try await body.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: json], body: body)
    }

    private static let partBytes = 64 << 10
}

/// Turns every error of a route into the API's error object.
struct ErrorAnswers: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as ControlError {
            return .object(ErrorReport(error), status: error.status)
        } catch let error as RequestRefused {
            return .object(ErrorReport(error: error.text), status: error.status)
        } catch let error as HTTPError where error.status == .notFound {
            let text =
                "no \(request.method) \(request.uri.path) in this API: see GET /v1/openapi.json"
            return .object(ErrorReport(error: text), status: .notFound)
        } catch let error as any HTTPResponseError {
            return .object(
                ErrorReport(error: error.status.reasonPhrase.lowercased()), status: error.status)
        }
    }
}

extension ErrorReport {
    init(_ error: ControlError) {
        switch error {
        case .malformed(let text), .notFound(let text), .conflict(let text), .unavailable(let text):
            self.init(error: text)
        case .invalidConfiguration(let lines):
            let count = lines.count == 1 ? "1 error" : "\(lines.count) errors"
            self.init(
                error: "the configuration has \(count) and was not applied: correct the file",
                details: lines)
        }
    }
}

extension ControlError {
    /// HTTP status of the answer.
    var status: HTTPResponse.Status {
        switch self {
        case .malformed: .badRequest
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalidConfiguration: .unprocessableContent
        case .unavailable: .serviceUnavailable
        }
    }
}
