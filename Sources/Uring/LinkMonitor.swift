internal import CLinux
import Glibc

/// Hears from the kernel when network devices come, go, or change.
///
/// Thread-safety: one thread at a time. Cold: the control side polls `descriptor` and calls
/// `receive` when it is readable.
public final class LinkMonitor {
    /// What has become of a device.
    public enum Event: Sendable, Equatable {
        /// It exists, and this is its state now.
        case present(NetworkDevice)
        case removed(name: String, index: Int32)
    }

    private let owned: OwnedDescriptor
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 32768)

    /// Readable when events wait; non-blocking.
    public var descriptor: Int32 { owned.number }

    /// Starts to listen, and asks for every device there is: the first events tell of those.
    /// - Parameter namespace: whose devices (see `NetworkNamespace`); nil is here.
    public init(namespace: String? = nil) throws(UringError) {
        let number = try NetworkNamespace.run(in: namespace) { () throws(UringError) in
            vx_netlink_links()
        }
        guard number >= 0 else { throw UringError.unexpected("watch network devices", number) }
        owned = OwnedDescriptor(number)
        try requestAll()
    }

    /// Asks for the state of every device again, as events.
    public func requestAll() throws(UringError) {
        sequence &+= 1
        let result = vx_netlink_dump_links(descriptor, sequence)
        guard result == 0 || result == -EBUSY else {
            throw UringError.unexpected("list network devices", result)
        }
    }

    /// Takes what waits, without blocking. Where the kernel had to drop events, it asks for the
    /// state of every device, so that none stays unnoticed.
    public func receive() -> [Event] {
        var events: [Event] = []
        // A bound on one call; what is left keeps the descriptor readable.
        for _ in 0..<256 {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
                unsafe recv(owned.number, bytes.baseAddress, bytes.count, 0)
            }
            if count > 0 {
                LinkMessages.parse(buffer[..<count], into: &events)
                continue
            }
            guard count < 0, errno == ENOBUFS else { break }
            try? requestAll()
        }
        return events
    }
}

/// The wire format of link events (rtnetlink(7)): every length is checked.
enum LinkMessages {
    static func parse(_ bytes: ArraySlice<UInt8>, into events: inout [LinkMonitor.Event]) {
        var rest = bytes
        // struct nlmsghdr: length @0, type @4; 16 bytes.
        while let length = uint32(rest, at: 0), length >= 16, Int(length) <= rest.count {
            let message = rest.prefix(Int(length))
            if let type = uint16(message, at: 4), type == newLink || type == deletedLink,
                let event = event(of: message.dropFirst(16), isNew: type == newLink)
            {
                events.append(event)
            }
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
    }

    private static let newLink: UInt16 = 16
    private static let deletedLink: UInt16 = 17

    /// struct ifinfomsg: family @0, index @4, flags @8; 16 bytes, then attributes.
    private static func event(of body: ArraySlice<UInt8>, isNew: Bool) -> LinkMonitor.Event? {
        guard let index = uint32(body, at: 4), let flags = uint32(body, at: 8), body.count >= 16,
            body.first == 0  // AF_UNSPEC: bridges send their ports' news with another family.
        else { return nil }
        var name = ""
        var mtu = 0
        var mac: UInt64 = 0
        var rest = body.dropFirst(16)
        // struct rtattr: length @0, type @2; 4 bytes, then the value.
        while let length = uint16(rest, at: 0), length >= 4, Int(length) <= rest.count,
            let type = uint16(rest, at: 2)
        {
            let value = rest.prefix(Int(length)).dropFirst(4)
            switch type {
            case 1 where value.count == 6: mac = value.reduce(0) { $0 << 8 | UInt64($1) }
            case 3: name = String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
            case 4: mtu = Int(uint32(value, at: 0) ?? 0)
            default: break
            }
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
        guard isNew else {
            return .removed(name: name, index: Int32(bitPattern: index))
        }
        return .present(
            NetworkDevice(
                name: name, index: Int32(bitPattern: index), mtu: mtu,
                isUp: flags & 0x41 == 0x41, macAddress: mac))
    }

    private static func uint16(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt16? {
        let start = bytes.startIndex + offset
        guard bytes.count >= offset + 2 else { return nil }
        return UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8
    }

    private static func uint32(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32? {
        guard let low = uint16(bytes, at: offset), let high = uint16(bytes, at: offset + 2)
        else { return nil }
        return UInt32(low) | UInt32(high) << 16
    }
}
