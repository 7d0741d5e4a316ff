import Testing

@testable import Gateway

@Suite struct KernelLossTests {
    @Test func droppedOnTheWayOut() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets \
            errs drop fifo colls carrier compressed
                lo:     0       0    0    0    0     0          0         0        0       0    \
            0    0    0     0       0          0
            vxgate0: 152081820  12685 1 2 3 4 5 6 172359396 12690 7 20791 8 9 10 11
              a:b:c: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
            short: 1 2 3
            """
        #expect(KernelLosses.parseDevices(text) == ["lo": 0, "vxgate0": 20791, "a:b:c": 12])
    }

    @Test func countersOfProc() {
        let text = "Udp: InDatagrams InErrors\nUdp: 5 7\nIp: Forwarding\nTcp: 1\n"
        #expect(KernelLosses.parse(text) == ["Udp.InDatagrams": 5, "Udp.InErrors": 7])
    }
}
