internal import CLinux
import Glibc

/// The pool of outer UDP source ports over which flows are spread (RFC 7348 section 5).
public enum SourcePorts {
    /// The dynamic range (RFC 6335 section 6).
    public static let range: ClosedRange<UInt16> = first...65535
    public static var first: UInt16 { @_noLocks get { 49152 } }

    /// Picks `count` ports of `address` (host order) that nobody uses, lowest first.
    ///
    /// They are free at the time of the call; a socket that loses the race to another program
    /// fails at its own bind with a clear message.
    /// - Parameter takesFewer: be content with those that are free, as long as there is one.
    /// - Throws: when fewer are free, or the address is not on this host.
    public static func pick(
        _ count: Int, address: UInt32, takesFewer: Bool = false
    ) throws(UringError) -> [UInt16] {
        var picked: [UInt16] = []
        picked.reserveCapacity(count)
        for port in range where picked.count < count {
            let probe = try DatagramSocket.openSocket()
            // Without SO_REUSEPORT: a port that another vxgate shares among its workers is in use.
            let result = vx_bind_ipv4(probe.number, address, port)
            if result == 0 { picked.append(port) }
            guard result == 0 || result == -EADDRINUSE || result == -EACCES else {
                throw UringError(
                    "\(DatagramSocket.dotted(address)) cannot be bound",
                    remedy: result == -EADDRNOTAVAIL
                        ? "it is not an address of this host: correct vtep.address"
                        : UringError.text(of: -result), code: -result)
            }
        }
        guard picked.count == count || (takesFewer && !picked.isEmpty) else {
            throw UringError(
                "only \(picked.count) of \(count) udp source ports are free on"
                    + " \(DatagramSocket.dotted(address))",
                remedy: "lower vtep.source-ports or stop what uses ports 49152 to 65535")
        }
        return picked
    }

    /// Raises the process's limit of open files so that `sockets` more fit.
    /// - Throws: when the hard limit is too low for them.
    public static func reserveDescriptors(for sockets: Int) throws(UringError) {
        let wanted = Int64(sockets) + 512
        let granted = vx_raise_descriptor_limit(wanted)
        guard granted >= wanted else {
            throw UringError(
                "\(sockets) sockets do not fit the limit of \(granted) open files",
                remedy: "raise it (`ulimit -Hn`, systemd LimitNOFILE=) or lower vtep.source-ports",
                code: EMFILE)
        }
    }
}
