import Control
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The one encoder setting of the API: keys in a fixed order, so that answers can be compared as
/// text.
func makeEncoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
}

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
        guard var bytes = try? makeEncoder().encode(value) else {
            return Response(status: .internalServerError)
        }
        bytes.append(UInt8(ascii: "\n"))
        return Response(
            status: status, headers: [.contentType: json],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// An array with one row on each line, sent in parts so that the text of a table of a million
    /// rows never stands in memory as a whole.
    static func rows<Row: Encodable & Sendable>(_ rows: [Row]) -> Response {
        guard !rows.isEmpty else { return .text("[]\n", as: json) }
        let body = ResponseBody { writer in
            let encoder = makeEncoder()
            var part = ByteBuffer()
            for (index, row) in rows.enumerated() {
                part.writeString(index == 0 ? "[" : ",\n ")
                part.writeBytes(try encoder.encode(row))
                if part.readableBytes >= partBytes {
                    try await writer.write(part)
                    part.clear()
                    // Where one CPU is left for operators, others are not to wait for a long table.
                    await Task.yield()
                }
            }
            part.writeString("]\n")
            try await writer.write(part)
            try await writer.finish(nil)
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
