public import Wire

/// A UDP socket of the host, as `/proc/net/udp` and `/proc/net/udp6` list it.
public struct BoundSocket: Sendable, Equatable {
    /// `0.0.0.0` takes datagrams to every address; so does the unspecified address of IPv6.
    public var address: IPv4Address
    public var port: UInt16
    /// 0 for a socket of the kernel itself.
    public var inode: UInt64

    public init(address: IPv4Address, port: UInt16, inode: UInt64) {
        self.address = address
        self.port = port
        self.inode = inode
    }

    /// The sockets of such a file. Lines of another form, the heading among them, and sockets that
    /// are bound to one IPv6 address are left out.
    public static func list(_ text: String) -> [BoundSocket] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 9, let inode = UInt64(words[9]) else { return nil }
            let local = words[1].split(separator: ":")
            guard local.count == 2, let port = UInt16(local[1], radix: 16) else { return nil }
            // The kernel prints the bytes of the address as they lie in a little-endian word.
            if local[0].count == 8, let bits = UInt32(local[0], radix: 16) {
                return BoundSocket(
                    address: IPv4Address(bits: bits.byteSwapped), port: port, inode: inode)
            }
            guard local[0].allSatisfy({ $0 == "0" }) else { return nil }
            return BoundSocket(address: .any, port: port, inode: inode)
        }
    }
}
