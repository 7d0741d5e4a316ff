import Dataplane
import FuzzDriver
import TestKit
import Wire

/// Reads the bytes as a frame of the tap underlay, for the VTEP and port that it names itself, so
/// that the address alone refuses none.
enum OuterProbe {
    static func run(_ bytes: [UInt8]) {
        let arena = FrameArena()
        let view = arena.frame(bytes)
        let vtep = view.holds(4, at: 30) ? view.loadUInt32(at: 30) : 0
        let ports: [UInt16] = [4789, view.holds(2, at: 36) ? view.loadUInt16(at: 36) : 0]
        for port in ports {
            for isVouched in [false, true] {
                let packet = OuterPacket.parse(view, isVouched: isVouched, vtep: vtep, port: port)
                guard case .vxlan(let datagram) = packet else { continue }
                FuzzDriver.expect(
                    datagram.payloadOffset == OuterHeader.byteCount
                        && view.holds(datagram.payloadByteCount, at: datagram.payloadOffset),
                    "the payload is in the frame")
            }
        }
    }
}
