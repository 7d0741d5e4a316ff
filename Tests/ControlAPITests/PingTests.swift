import Control
import Testing
import Wire

@testable import ControlAPI

/// `POST /v1/ping` and `vxgate ping`.
@Suite(.timeLimit(.minutes(1))) struct PingTests {
    private func refusal(_ body: String) async throws -> String {
        try await withServer { path in
            do throws(ControlClientError) {
                _ = try ControlClient(path: path)
                    .request("POST", "/v1/ping", body: Array(body.utf8))
                return "not refused"
            } catch {
                return error.description
            }
        }
    }

    @Test func theBodyReachesTheGateway() async throws {
        let plane = FakePlane()
        var wanted = PingRequest(address: IPv4Address("10.1.1.11")!)
        wanted.vrf = "red"
        wanted.interface = "vsi10"
        wanted.count = 2
        wanted.intervalMilliseconds = 20
        wanted.timeoutMilliseconds = 30
        wanted.size = 0
        wanted.sequence = 9
        try await withServer(plane: plane) { [wanted] path in
            let rows = try ControlClient(path: path).ping(wanted)
            #expect(rows.map(\.sequence) == [9] && rows[0].bytes == 8 && rows[0].ttl == 64)
            let body = Array(#"{"address":"10.1.1.12"}"#.utf8)
            let text = try ControlClient(path: path).request("POST", "/v1/ping", body: body)
            #expect(
                String(decoding: text, as: UTF8.self)
                    == #"[{"bytes":64,"from":"10.1.1.12","milliseconds":0.25,"mtu":null,"#
                    + #""reason":null,"result":"reply","sequence":1,"source":"10.1.1.1","ttl":64}]"#
                    + "\n")
        }
        let plain = PingRequest(address: IPv4Address("10.1.1.12")!)
        #expect(plane.made == ["ping \(wanted)", "ping \(plain)"])
    }

    @Test(arguments: [
        ("", "the body is not a JSON object"), ("[]", "the body is not a JSON object"),
        ("{}", "`address` is missing: give it as a string"),
        (#"{"address":"10.1"}"#, "`10.1` is not an IPv4 address: write it as 10.1.1.1"),
        (#"{"address":"10.1.1.1","cuont":1}"#, "unknown key `cuont`"),
        (#"{"address":"10.1.1.1","count":"1"}"#, "a value of the body has the wrong type"),
        (#"{"address":"10.1.1.1","count":1.5}"#, "a value of the body has the wrong type"),
        (#"{"address":"10.1.1.1","count":0}"#, "`count` is 0: give 1 to 100"),
        (#"{"address":"10.1.1.1","size":9000}"#, "`size` is 9000: give 0 to 8972"),
        (#"{"address":"10.1.1.1","count":60}"#, "the pings would take 61000 ms"),
        (#"{"address":"224.0.0.1"}"#, "224.0.0.1 is no host's address"),
        (#"{"address":"10.1.1.1","vrf":"nowhere"}"#, "no vrf nowhere"),
    ])
    func whatIsWrongIsSaid(body: String, text: String) async throws {
        let line = try await refusal(body)
        #expect(line.hasPrefix(text), "\(line)")
    }

    @Test(.enabled(if: Program.isBuilt, "the vxgate program is not built"))
    func theCommandSpeaksAsPingDoes() async throws {
        try await withServer { path in
            func run(_ words: String) throws -> Program.Result {
                try Program.run(
                    ["ping"] + words.split(separator: " ").map(String.init), socket: path)
            }
            let text = try run("10.1.1.11 --count 2 --interval 0.01")
            #expect(
                text
                    == Program.Result(
                        status: 0,
                        output: """
                            PING 10.1.1.11 from 10.1.1.1: 56 data bytes
                            64 bytes from 10.1.1.11 icmp_seq=1 ttl=64 time=0.250 ms
                            64 bytes from 10.1.1.11 icmp_seq=2 ttl=64 time=0.250 ms

                            --- 10.1.1.11 ping statistics ---
                            2 packets transmitted, 2 received, 0% packet loss
                            rtt min/avg/max/mdev = 0.250/0.250/0.250/0.000 ms

                            """, errors: ""))
            let json = try run("10.1.1.11 --count 2 --interval 0.01 --json")
            #expect(json.output.hasPrefix("[{\"bytes\":64,") && json.output.contains("},\n {"))
            let silent = try run("10.1.1.11 --interface silent --count 1")
            #expect(silent.status == 1 && silent.output.contains("no answer: icmp_seq=1\n"))
            #expect(
                silent.output.hasSuffix("1 packets transmitted, 0 received, 100% packet loss\n"))
            #expect(silent.errors.hasPrefix("vxgate: ping: no reply from 10.1.1.11: "))
            #expect(try run("10.1.1.11 --vrf nowhere").status == 1)
            for words in ["", "10.1", "10.1.1.1 --count 0", "10.1.1.1 --size 9000", "10.1.1.1 a"] {
                #expect(try run(words).status == 2, "\(words)")
            }
            for words in ["--timeout nan", "--timeout inf", "--interval 0", "--timeout 1e300"] {
                #expect(try run("10.1.1.1 \(words)").status == 2, "\(words)")
            }
        }
    }
}
