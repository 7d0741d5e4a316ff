public import Control
import Wire

extension ControlClient {
    /// Has the gateway ping; a row for each request.
    public func ping(_ request: PingRequest) throws(ControlClientError) -> [PingReport] {
        let body = Body(
            address: request.address.description, vrf: request.vrf, interface: request.interface,
            count: request.count, intervalMilliseconds: request.intervalMilliseconds,
            timeoutMilliseconds: request.timeoutMilliseconds, size: request.size,
            sequence: request.sequence)
        let bytes = (try? JSONWriter.text(of: body)) ?? []
        return try decode(
            [PingReport].self, try self.request("POST", "/v1/ping", body: bytes))
    }

    /// Named as the keys of the API are.
    private struct Body: Encodable {
        let address: String
        let vrf: String?
        let interface: String?
        let count: Int
        let intervalMilliseconds: Int
        let timeoutMilliseconds: Int
        let size: Int
        let sequence: Int

        enum CodingKeys: String, CodingKey {
            case address, vrf, interface, count, size, sequence
            case intervalMilliseconds = "interval_ms"
            case timeoutMilliseconds = "timeout_ms"
        }
    }
}
