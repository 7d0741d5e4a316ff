import FuzzDriver
import Wire

/// The fuzz program of the whole step function: packets in, outputs out, through every stage.
@_cdecl("FuzzStep_main")
public func fuzzStepMain(
    _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    unsafe FuzzDriver.run(
        argumentCount, arguments, seeds: fuzzStepSeeds,
        input: { bytes, count in
            Step.run(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        })
}

/// Each frame, several times in one turn, from every port and, in each VNI, from both peers: once
/// plain and once with offload metadata.
private func fuzzStepSeeds() -> [[UInt8]] {
    frames().enumerated().flatMap { index, frame in
        [false, true].map { turn(of: frame, world: index % 4, hasMetadata: $0) }
    }
}

private func turn(of frame: [UInt8], world: Int, hasMetadata: Bool) -> [UInt8] {
    let heads: [(flags: UInt8, place: UInt8)] =
        (0..<5).map { (8, $0) }
        + [2, 3].flatMap { peer in [1, 2, 3].map { (11, $0 << 2 | peer) } }
    let metadata: [UInt8] = [1, 3, 0, 100, 0, 54, 0, 34, 0, 16, 0, 0]
    var turn = [UInt8(world)]
    for (flags, place) in heads {
        let length = [UInt8(frame.count >> 8), UInt8(frame.count & 255)]
        turn += [flags | (hasMetadata ? 4 : 0), place, 2, 0, 0, 100] + length
        if hasMetadata { turn += metadata }
        turn += frame
    }
    return turn
}

private func frames() -> [[UInt8]] {
    let linkLocalGroup: UInt64 = 0x0180_C200_000E
    let destinations = [
        World.gatewayMAC, World.hostMAC, World.remoteMAC, linkLocalGroup, 0xFFFF_FFFF_FFFF,
    ]
    let targets = [
        World.gatewayAddress, World.neighborAddress, World.remoteAddress, 0x3201_0101, 0x0909_0909,
    ]
    return [World.hostMAC, World.staticMAC].flatMap { sender in
        destinations.flatMap { destination in
            targets.flatMap { target in
                FrameSeeds.frames(
                    sender: MACAddress(bits: sender), destination: MACAddress(bits: destination),
                    source: IPv4Address(bits: World.hostAddress),
                    target: IPv4Address(bits: target))
            }
        }
    }
}
