import Glibc

/// An AF_UNIX address of the kernel's own layout, by path or abstract (a first byte of `@` or NUL).
struct SocketAddress {
    private var storage = sockaddr_un()
    private var length = socklen_t(0)

    /// Nil when the name is empty or does not fit (107 bytes and the final NUL).
    init?(path: String) {
        var bytes = Array(path.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@") || bytes.first == 0
        if isAbstract { bytes[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: storage.sun_path)
        guard !bytes.isEmpty, bytes.count < capacity else { return nil }
        storage.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let header = MemoryLayout<sockaddr_un>.size - capacity
        length = socklen_t(header + bytes.count + (isAbstract ? 0 : 1))
    }

    /// Calls `body` with the pointer and length that `connect`, `bind` and `sendto` take.
    func withPointer<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: storage) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, length)
            }
        }
    }
}
