internal import CLinux
import Glibc

/// The program by which the kernel puts each frame for us into one of a tap's queues: those of one
/// flow always into the same.
///
/// Left alone, the kernel remembers for 3 s on which queue a flow was last written, and takes the
/// two directions of a flow, and in fact any two packets with the same pair of addresses and the
/// same pair of ports, for one. Tunnels in the two directions that have the same source port are
/// one to it, so that each worker that writes pulls what arrives to its own queue, in the middle
/// of a flow: one worker then overtakes the other.
///
/// Thread-safety: immutable.
public final class FlowSteering: Sendable {
    /// What goes through the tap.
    public enum Traffic: Sendable {
        /// Frames of hosts. A flow is what `FlowHash` says it is, except that the label stack of
        /// MPLS is not looked at.
        case hosts
        /// VXLAN. A flow has one source port; sources use consecutive ones, which go to the queues
        /// in turn.
        case tunnels
    }

    private let program: OwnedDescriptor

    /// Whether this process may steer, as `show runtime` tells it: `on`, or `off: why`.
    public static var state: String {
        do throws(UringError) {
            for traffic in [Traffic.hosts, .tunnels] { _ = try FlowSteering(traffic) }
            return "on"
        } catch {
            return "off: \(error.remedy), or one worker reads each tap for all"
        }
    }

    /// - Throws: no permission, or no such programs in this kernel.
    public init(_ traffic: Traffic) throws(UringError) {
        let code = Self.code(for: traffic)
        let number = unsafe code.withUnsafeBufferPointer { code in
            unsafe vx_program_load(code.baseAddress!, UInt32(code.count))
        }
        guard number >= 0 else {
            guard number == -EPERM || number == -EACCES else {
                throw UringError.unexpected("load a program that steers flows", number)
            }
            throw UringError(
                "no permission to load a program that steers flows",
                remedy: "needs CAP_BPF in the host's own user namespace", code: -number)
        }
        program = OwnedDescriptor(number)
    }

    /// What the program says about a frame; its queue is this modulo their number.
    public func result(for frame: [UInt8]) throws(UringError) -> UInt16 {
        // The kernel takes an Ethernet header off before it runs a filter for a socket.
        let packet = [UInt8](repeating: 0, count: 14) + frame
        let result = unsafe packet.withUnsafeBytes { bytes in
            unsafe vx_program_run(program.number, bytes.baseAddress!, UInt32(bytes.count))
        }
        guard result >= 0 else {
            throw UringError.unexpected("run a program that steers flows", Int32(result))
        }
        return UInt16(truncatingIfNeeded: result)
    }

    /// Puts it in force for all queues of the tap behind `descriptor`.
    func steer(_ descriptor: Int32) throws(UringError) {
        let result = vx_tap_set_steering(descriptor, program.number)
        guard result == 0 else { throw UringError.unexpected("steer the flows of a tap", result) }
    }

    private static func code(for traffic: Traffic) -> [UInt64] {
        switch traffic {
        case .hosts: hostCode()
        case .tunnels: tunnelCode()
        }
    }

    /// Source address and source port of UDP over IPv4.
    private static func tunnelCode() -> [UInt64] {
        var code = ProgramCode()
        let other = code.newLabel()
        code.load(.half, 12)
        code.jump(to: other, .unequal, .loaded, 0x0800)
        code.load(.word, 26)
        code.apply(.set, .state, .loaded)
        code.loadHeaderLength(at: 14)
        code.load(.half, 14, behind: .start)
        code.apply(.add, .loaded, .state)
        code.end()
        code.place(other)
        code.apply(.set, .loaded, 0)
        code.end()
        return code.assembled()
    }

    private static func hostCode() -> [UInt64] {
        var code = ProgramCode()
        let (ipv4, ipv6, finish) = (code.newLabel(), code.newLabel(), code.newLabel())
        let (transport, ports) = (code.newLabel(), code.newLabel())
        code.skipTags()
        code.apply(.set, .state, .loaded)
        code.jump(to: ipv4, .equal, .loaded, 0x0800)
        code.jump(to: ipv6, .equal, .loaded, 0x86DD)
        code.apply(.set, .kind, 0)
        for offset: Int32 in [0, 4, 8] { code.mixWord(offset) }
        code.jump(to: finish)

        code.place(ipv4)
        code.load(.byte, 9, behind: .start)
        code.apply(.set, .kind, .loaded)
        for offset: Int32 in [12, 16] { code.mixWord(offset, behind: .start) }
        // Fragments, the first included: addresses and protocol.
        code.load(.half, 6, behind: .start)
        code.apply(.and, .loaded, 0x3FFF)
        code.jump(to: finish, .unequal, .loaded, 0)
        code.load(.byte, 0, behind: .start)
        code.apply(.and, .loaded, 15)
        code.apply(.shiftLeft, .loaded, 2)
        code.apply(.add, .start, .loaded)
        code.jump(to: transport)

        code.place(ipv6)
        code.load(.byte, 6, behind: .start)
        code.apply(.set, .kind, .loaded)
        for offset in stride(from: 8 as Int32, to: 40, by: 4) {
            code.mixWord(offset, behind: .start)
        }
        code.apply(.add, .start, 40)
        code.jump(to: transport, .unequal, .kind, 44)
        code.load(.byte, 0, behind: .start)
        code.apply(.set, .kind, .loaded)
        code.jump(to: finish)

        // TCP, UDP, DCCP, ESP, SCTP, UDP-Lite: what has ports, or an SPI in their place.
        code.place(transport)
        for number: Int32 in [6, 17, 33, 50, 132, 136] {
            code.jump(to: ports, .equal, .kind, number)
        }
        code.jump(to: finish)
        code.place(ports)
        code.mixWord(0, behind: .start)
        code.place(finish)
        code.mix(.kind)
        code.apply(.set, .loaded, .state)
        code.end()
        return code.assembled()
    }
}

extension ProgramCode {
    /// Leaves the type behind up to two VLAN tags loaded, and in `start` where its header begins.
    fileprivate mutating func skipTags() {
        let untagged = newLabel()
        load(.half, 12)
        apply(.set, .start, 14)
        for _ in 0..<2 {
            let tagged = newLabel()
            jump(to: tagged, .equal, .loaded, 0x8100)
            jump(to: untagged, .unequal, .loaded, 0x88A8)
            place(tagged)
            load(.half, 2, behind: .start)
            apply(.add, .start, 4)
        }
        place(untagged)
    }

    /// Leaves in `start` the bytes of the IPv4 header at `offset`.
    fileprivate mutating func loadHeaderLength(at offset: Int32) {
        load(.byte, offset)
        apply(.and, .loaded, 15)
        apply(.shiftLeft, .loaded, 2)
        apply(.set, .start, .loaded)
    }

    fileprivate mutating func mixWord(_ offset: Int32, behind base: Register? = nil) {
        load(.word, offset, behind: base)
        mix(.loaded)
    }

    /// Every bit of `register` reaches the low bits of `state`, at the latest with the next.
    fileprivate mutating func mix(_ register: Register) {
        apply(.xor, .state, register)
        apply(.multiply, .state, 0x5BD1_E995)
        apply(.set, .loaded, .state)
        apply(.shiftRight, .loaded, 32)
        apply(.xor, .state, .loaded)
    }
}
