import Wire

/// Which addresses the hosts of a flow have. Hosts of VSI 0 behind the access port are "local",
/// hosts behind peers "remote".
enum AddressPlan {
    static let vtep: UInt32 = 0xAC10_0001
    static let gatewayMAC: UInt64 = 0x0200_5E00_0001
    /// The gateway's own addresses: 10.0.0.1/8 in VSI 0, 20.0.0.1/8 in VSI 1.
    static let subnets: [UInt32] = [0x0A00_0001, 0x1400_0001]
    static let vnis: [UInt32] = [10, 20]
    static let peerCount = 8
    static let nextHopCount = 64

    static func peer(_ index: Int) -> UInt32 { 0xAC10_0100 + UInt32(index) }
    static func localMAC(_ flow: Int) -> UInt64 { 0x02AA_0000_0000 + UInt64(flow) }
    static func remoteMAC(_ flow: Int) -> UInt64 { 0x02CC_0000_0000 + UInt64(flow) }
    static func localAddress(_ flow: Int) -> UInt32 { 0x0A00_0002 + UInt32(flow) }
    static func remoteAddress(_ flow: Int) -> UInt32 { 0x1400_0002 + UInt32(flow) }

    /// The prefix of a flow on the path `prefixes`: lengths 24, 26 and 28 in turn, 256 addresses
    /// apart from 64.0.0.0 on.
    static func prefix(_ flow: Int) -> IPv4Prefix {
        IPv4Prefix(
            address: IPv4Address(bits: 0x4000_0000 + UInt32(flow) << 8),
            length: 24 + UInt8(flow % 3) * 2)
    }
}
