internal import CLinux
import Glibc
internal import Uring
public import Wire

/// Questions to the kernel that a program asks which looks at the host of a gateway from outside.
public enum HostProbe {
    /// Bytes of an IPv4 packet that fit on the way from `source` (nil = any of the host) to
    /// `destination`; what the kernel says instead where there is no way.
    public static func pathMTU(
        from source: IPv4Address?, to destination: IPv4Address
    ) -> Result<Int, SystemRefusal> {
        let answer = vx_path_mtu(source?.bits ?? 0, destination.bits)
        return answer < 0 ? .failure(SystemRefusal(code: -answer)) : .success(Int(answer))
    }

    /// Moves the calling thread into the network namespace of a process, for good: for a program
    /// that does nothing else afterwards.
    public static func enterNetworkNamespace(of process: Int32) throws(SystemRefusal) {
        let file = unsafe open("/proc/\(process)/ns/net", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemRefusal(code: errno) }
        defer { close(file) }
        let entered = vx_enter_network_namespace(file)
        guard entered == 0 else { throw SystemRefusal(code: -entered) }
    }

    /// The IPv4 addresses and devices of the calling thread's network namespace.
    public static func devices() throws(SystemRefusal) -> (
        addresses: [(device: String, address: IPv4Address)], isUp: [String: Bool]
    ) {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { throw SystemRefusal(code: errno) }
        defer { unsafe freeifaddrs(list) }
        var addresses: [(device: String, address: IPv4Address)] = []
        var isUp: [String: Bool] = [:]
        let upFlags = UInt32(IFF_UP | IFF_RUNNING)
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let name = unsafe entry.pointee.ifa_name else { continue }
            // A second address of a device bears a label, as in eth0:1.
            let label = unsafe String(cString: name)
            let device = label.split(separator: ":").first.map(String.init) ?? label
            isUp[device] = unsafe entry.pointee.ifa_flags & upFlags == upFlags
            guard let address = unsafe entry.pointee.ifa_addr,
                unsafe address.pointee.sa_family == sa_family_t(AF_INET)
            else { continue }
            let bits = unsafe UnsafeRawPointer(address).loadUnaligned(
                fromByteOffset: 4, as: UInt32.self)
            addresses.append((device, IPv4Address(bits: UInt32(bigEndian: bits))))
        }
        return (addresses, isUp)
    }
}

/// What the kernel answers instead of what it was asked for.
public struct SystemRefusal: Error, CustomStringConvertible {
    public let code: Int32

    public var description: String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
