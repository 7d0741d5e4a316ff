import Glibc
import Uring

/// One end of a TCP connection in a namespace.
final class TCPEnd {
    private let owned: OwnedDescriptor

    init(listenIn space: String, address: UInt32) throws {
        owned = try NetworkNamespace.run(in: space) { () throws(UringError) in
            let owned = OwnedDescriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            let bound = unsafe Self.withName(address) { unsafe bind(owned.number, $0, $1) }
            guard bound == 0, listen(owned.number, 4) == 0 else {
                throw UringError("cannot listen", remedy: "look at the test", code: errno)
            }
            return owned
        }
    }

    init(connectIn space: String, to address: UInt32) throws {
        owned = try NetworkNamespace.run(in: space) { () throws(UringError) in
            let owned = OwnedDescriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            let joined = unsafe Self.withName(address) { unsafe connect(owned.number, $0, $1) }
            guard joined == 0 else {
                throw UringError("cannot connect", remedy: "look at the test", code: errno)
            }
            return owned
        }
    }

    /// Writes without waiting for a reader; the listener's backlog acknowledges what fits.
    func write(_ count: Int) -> Int {
        let bytes = [UInt8](repeating: 6, count: count)
        return unsafe Glibc.send(owned.number, bytes, count, 0x40)
    }

    private static func withName(
        _ address: UInt32, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(7000).bigEndian
        name.sin_addr.s_addr = address.bigEndian
        return unsafe withUnsafePointer(to: name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe use($0, 16) }
        }
    }
}
