internal import CLinux
import Glibc

/// The program by which the kernel chooses, for each packet it has for us, the worker that gets it:
/// for all of one conversation, in both directions and from every port, the same.
///
/// Left alone, the kernel goes by other rules at each kind of port, so that question and answer
/// wake two workers where one would still look on. And at a tap it remembers for 3 s on which queue
/// a flow was last written, and takes any two packets with the same pair of addresses and the same
/// pair of ports for one flow: each worker that writes pulls what arrives to its own queue, in the
/// middle of a flow, and one worker then overtakes the other.
///
/// A conversation is what `FlowHash` calls a flow, with either end as its source; the label stack
/// of MPLS is not looked at. In a tunnel the inner frame counts, so that a conversation that comes
/// out of one and goes into one has its worker too.
///
/// Thread-safety: immutable.
public final class FlowSteering: Sendable {
    /// Where packets come from, and so where in them the host's frame begins.
    public enum Traffic: Sendable {
        /// Frames of hosts, from a tap.
        case hosts
        /// Frames of hosts, from a packet socket.
        case sniffed
        /// VXLAN in UDP in IPv4 in Ethernet, from a tap.
        case tunnels
        /// VXLAN, from UDP sockets.
        case datagrams
    }

    private let program: OwnedDescriptor

    /// Whether this process may steer, as `show runtime` tells it: `on`, or `off: why`.
    public static var state: String {
        do throws(UringError) {
            for traffic in [Traffic.hosts, .sniffed, .tunnels, .datagrams] {
                _ = try FlowSteering(traffic, workers: 2)
            }
            return "on"
        } catch {
            return "off: \(error.remedy), or one worker reads each tap for all"
        }
    }

    /// - Throws: no permission, or no such programs in this kernel.
    public init(_ traffic: Traffic, workers: Int) throws(UringError) {
        let code = Self.code(for: traffic, workers: Int32(workers))
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

    /// Which worker gets a packet.
    /// - Parameter packet: from where the program's traffic begins; of a sniffed one, the frame.
    public func worker(for packet: [UInt8]) throws(UringError) -> Int {
        // The kernel takes an Ethernet header off before it runs a filter for a socket.
        try run(on: [UInt8](repeating: 0, count: Self.linkByteCount) + packet)
    }

    /// The same for a packet socket, where the kernel does that, too.
    public func worker(forSniffed frame: [UInt8]) throws(UringError) -> Int { try run(on: frame) }

    private static let linkByteCount = 14
    /// The offset by which a program loads from the Ethernet header that is in front of what it is
    /// given: SKF_LL_OFF of linux/filter.h.
    private static let linkHeader: Int32 = -0x20_0000

    private func run(on packet: [UInt8]) throws(UringError) -> Int {
        let result = unsafe packet.withUnsafeBytes { bytes in
            unsafe vx_program_run(program.number, bytes.baseAddress!, UInt32(bytes.count))
        }
        guard result >= 0 else {
            throw UringError.unexpected("run a program that steers flows", Int32(result))
        }
        return Int(result)
    }

    /// Puts it in force for all queues of the tap behind `descriptor`.
    func steer(tap descriptor: Int32) throws(UringError) {
        let result = vx_tap_set_steering(descriptor, program.number)
        guard result == 0 else { throw UringError.unexpected("steer the flows of a tap", result) }
    }

    /// Puts it in force for all UDP sockets that share the port of `descriptor`: worker n has the
    /// one that was bound as number n.
    func steer(datagrams descriptor: Int32) throws(UringError) {
        let result = vx_set_option(
            descriptor, SOL_SOCKET, VX_ATTACH_REUSEPORT_EBPF, program.number)
        guard result == 0 else {
            throw UringError.unexpected("steer the flows of a UDP port", result)
        }
    }

    /// Puts it in force for the group of packet sockets that `descriptor` is in: worker n has the
    /// one that joined as number n.
    func steer(sniffed descriptor: Int32) throws(UringError) {
        let result = vx_set_option(
            descriptor, PacketSocket.level, VX_PACKET_FANOUT_DATA, program.number)
        guard result == 0 else {
            throw UringError.unexpected("steer the flows of packet sockets", result)
        }
    }

    private static func code(for traffic: Traffic, workers: Int32) -> [UInt64] {
        var code = ProgramCode()
        switch traffic {
        case .hosts: code.apply(.set, .kind, 0)
        case .sniffed: code.apply(.set, .kind, Self.linkHeader)
        case .datagrams: code.apply(.set, .kind, 8)
        case .tunnels:
            code.load(.byte, 14)
            code.apply(.and, .loaded, 15)
            code.apply(.shiftLeft, .loaded, 2)
            // Behind the headers of Ethernet, IPv4, UDP and VXLAN.
            code.apply(.add, .loaded, 14 + 8 + 8)
            code.apply(.set, .kind, .loaded)
        }
        code.apply(.set, .start, .kind)
        code.apply(.add, .start, 14)
        // Behind the link header the kernel counts from 0, and finds all of the packet there.
        if case .sniffed = traffic { code.apply(.set, .start, 0) }
        code.mixFrame()
        code.apply(.set, .loaded, .state)
        code.apply(.and, .loaded, .max)
        code.apply(.modulo, .loaded, workers)
        code.end()
        return code.assembled()
    }
}

extension ProgramCode {
    /// Leaves in `state` a number that the frames of one conversation share.
    ///
    /// `kind` is where the frame begins, `start` what is behind its type.
    fileprivate mutating func mixFrame() {
        let (ipv4, ipv6, finish) = (newLabel(), newLabel(), newLabel())
        let (transport, ports) = (newLabel(), newLabel())
        load(.half, 12, behind: .kind)
        skipTags()
        apply(.set, .state, .loaded)
        jump(to: ipv4, .equal, .loaded, 0x0800)
        jump(to: ipv6, .equal, .loaded, 0x86DD)
        mixPair(.word, 0, 6, behind: .kind)
        mixPair(.half, 4, 10, behind: .kind)
        apply(.set, .kind, 0)
        jump(to: finish)

        place(ipv4)
        load(.byte, 9, behind: .start)
        apply(.set, .kind, .loaded)
        mixPair(.word, 12, 16, behind: .start)
        // Fragments, the first included: addresses and protocol.
        load(.half, 6, behind: .start)
        apply(.and, .loaded, 0x3FFF)
        jump(to: finish, .unequal, .loaded, 0)
        load(.byte, 0, behind: .start)
        apply(.and, .loaded, 15)
        apply(.shiftLeft, .loaded, 2)
        apply(.add, .start, .loaded)
        jump(to: transport)

        place(ipv6)
        load(.byte, 6, behind: .start)
        apply(.set, .kind, .loaded)
        for offset in stride(from: 8 as Int32, to: 24, by: 4) {
            mixPair(.word, offset, offset + 16, behind: .start)
        }
        apply(.add, .start, 40)
        jump(to: transport, .unequal, .kind, 44)
        load(.byte, 0, behind: .start)
        apply(.set, .kind, .loaded)
        jump(to: finish)

        // TCP, UDP, DCCP, ESP, SCTP, UDP-Lite: what has ports, or an SPI in their place.
        place(transport)
        for number: Int32 in [6, 17, 33, 50, 132, 136] {
            jump(to: ports, .equal, .kind, number)
        }
        jump(to: finish)
        place(ports)
        mixPair(.half, 0, 2, behind: .start)
        place(finish)
        apply(.xor, .state, .kind)
        fold(.state)
    }

    /// Leaves the type behind up to two VLAN tags loaded, and in `start` where its header begins.
    private mutating func skipTags() {
        let untagged = newLabel()
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

    /// Mixes two numbers into `state`, whichever is the first.
    private mutating func mixPair(
        _ size: Size, _ first: Int32, _ second: Int32, behind base: Register
    ) {
        for offset in [first, second] {
            load(size, offset, behind: base)
            fold(.loaded)
            apply(.add, .state, .loaded)
        }
        fold(.state)
    }

    /// Every bit of the low half of `register` reaches the low bits, at the latest with the next.
    private mutating func fold(_ register: Register) {
        apply(.add, register, 0x3C6E_F372)
        apply(.multiply, register, 0x5BD1_E995)
        apply(.set, .scratch, register)
        apply(.shiftRight, .scratch, 32)
        apply(.xor, register, .scratch)
    }
}
