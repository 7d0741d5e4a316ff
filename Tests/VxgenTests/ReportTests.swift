import Generator
import Testing

/// The report: its keys are a contract with scripts.
@Suite struct ReportTests {
    private var totals: RunTotals {
        var totals = RunTotals()
        totals.sent.packets = 1000
        totals.sent.bytes = 64000
        totals.sent.packetsPerSecond = 499.96
        totals.received.packets = 995
        totals.received.bytes = 63680
        totals.received.packetsPerSecond = 497.5
        totals.duplicated = 5
        totals.reordered = 2
        totals.corrupted = 1
        totals.askedPacketsPerSecond = 500
        totals.achievedPacketsPerSecond = 499.96
        totals.stalledSeconds = 0.25
        totals.seconds = 2
        totals.isReceiving = true
        totals.asked = 1000
        totals.offered = 1010
        var stream = RunTotals.Stream(name: "a \"b\"")
        stream.sent = 7
        stream.received = 6
        stream.duplicated = 1
        totals.streams = [stream]
        return totals
    }

    @Test func jsonHasTheKeysOfTheContractInOrder() {
        #expect(
            RunReport(totals).json == #"{"sent":{"packets":1000,"bytes":64000,"pps":500.0},"#
                + #""received":{"packets":995,"bytes":63680,"pps":497.5},"lost":10,"#
                + #""reordered":2,"duplicated":5,"corrupted":1,"rate":{"asked_pps":500.0,"#
                + #""achieved_pps":500.0,"stalled_seconds":0.250000},"latency_us":null,"#
                + #""seconds":2.000000,"overruns":0,"asked":1000,"offered":1010,"#
                + #""latency_kind":"one_way","streams":[{"name":"a \"b\"","sent":7,"#
                + #""received":6,"lost":2,"reordered":0,"duplicated":1,"corrupted":0,"#
                + #""latency_us":null}]}"#)
    }

    @Test func latenciesAreMicroseconds() {
        var totals = totals
        totals.latency = LatencyHistogram.Percentiles(
            p50: 1500, p90: 2000, p99: 3001, p999: 40_000, p9999: 50_000, max: 1_234_567)
        totals.askedPacketsPerSecond = nil
        totals.isLive = true
        let json = RunReport(totals).json
        #expect(json.hasPrefix(#"{"live":true,"sent":"#))
        #expect(json.contains(#""asked_pps":null"#))
        #expect(
            json.contains(
                #""latency_us":{"p50":1.500,"p90":2.000,"p99":3.001,"p99_9":40.000,"#
                    + #""p99_99":50.000,"max":1234.567}"#))
    }

    @Test func whereNothingArrivesThatIsSaid() {
        var totals = totals
        totals.received = RunTotals.Traffic()
        #expect(totals.isSilent)
        #expect(RunReport(totals).warnings.contains { $0.hasPrefix("receive: nothing of the run") })
        totals.sent.packets = 0
        #expect(!totals.isSilent)
    }

    @Test func withoutAReceiverNothingIsLost() {
        var totals = totals
        totals.isReceiving = false
        #expect(totals.lost == 0)
        #expect(RunReport(totals).text.contains("not measured"))
    }

    @Test func moreComingOutThanWentInIsNoNegativeLoss() {
        var totals = totals
        totals.received.packets = 2000
        #expect(totals.lost == 0)
    }

    @Test func aRateThatIsNotKeptIsSaid() throws {
        var totals = totals
        #expect(RunReport(totals).warnings.isEmpty)
        totals.achievedPacketsPerSecond = 400
        let line = try #require(RunReport(totals).warnings.first)
        #expect(line.hasPrefix("rate: achieved 400 pps of 500 asked, 20.0 % less"))
        totals.overruns = 3
        #expect(RunReport(totals).warnings.count == 2)
        totals.seconds = 0
        #expect(totals.shortfallPercent == nil, "interrupted before the first frame")
    }
}
