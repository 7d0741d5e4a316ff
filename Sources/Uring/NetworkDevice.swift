internal import CLinux
import Glibc

/// What the kernel says about one network device, at the time of asking.
public struct NetworkDevice: Sendable, Equatable {
    public let name: String
    public let index: Int32
    /// Bytes of layer-3 packet the device carries.
    public let mtu: Int
    /// Administratively up and with a carrier.
    public let isUp: Bool
    /// The 48 bits of the MAC address: 02:00:00:00:00:01 is 0x0200_0000_0001.
    public let macAddress: UInt64

    /// Asks for the device `name` of the current network namespace.
    /// - Throws: when there is none.
    public static func named(_ name: String) throws(UringError) -> NetworkDevice {
        var state = vx_device_state()
        let result = unsafe vx_device_read(name, &state)
        guard result == 0 else {
            guard result == -ENODEV || result == -EINVAL else {
                throw UringError.unexpected("ask for network device \(name)", result)
            }
            throw UringError(
                "network device \(name) does not exist",
                remedy: "create it or correct the name (`ip -brief link` lists what there is)",
                code: ENODEV)
        }
        let octets = state.address
        let mac =
            UInt64(octets.0) << 40 | UInt64(octets.1) << 32 | UInt64(octets.2) << 24
            | UInt64(octets.3) << 16 | UInt64(octets.4) << 8 | UInt64(octets.5)
        return NetworkDevice(
            name: name, index: state.index, mtu: Int(state.mtu),
            isUp: state.flags & upFlags == upFlags, macAddress: mac)
    }

    /// The device that holds `address` (host order); nil when no device does.
    public static func holding(address: UInt32) throws(UringError) -> NetworkDevice? {
        for entry in try addresses() where entry.address == address {
            return try named(entry.device)
        }
        return nil
    }

    /// The first IPv4 address (host order) of a device; nil when it has none.
    public static func address(of device: String) throws(UringError) -> UInt32? {
        try addresses().first { $0.device == device }?.address
    }

    public static func setMTU(_ mtu: Int, of name: String) throws(UringError) {
        let result = unsafe vx_device_set_mtu(name, Int32(clamping: mtu))
        guard result != 0 else { return }
        guard result == -EINVAL else {
            throw UringError.unexpected("set the MTU of \(name) to \(mtu)", result)
        }
        throw UringError(
            "\(name) does not take an MTU of \(mtu)", remedy: "choose 68 to 65521", code: EINVAL)
    }

    public static func setUp(_ isUp: Bool, of name: String) throws(UringError) {
        let result = unsafe vx_device_set_up(name, isUp ? 1 : 0)
        guard result == 0 else {
            throw UringError.unexpected("set \(name) \(isUp ? "up" : "down")", result)
        }
    }

    public static func setMACAddress(_ bits: UInt64, of name: String) throws(UringError) {
        let octets = (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * UInt64($0))) }
        let result = unsafe octets.withUnsafeBufferPointer { octets -> Int32 in
            guard let base = octets.baseAddress else { return -EINVAL }
            return unsafe vx_device_set_address(name, base)
        }
        guard result == 0 else {
            throw UringError.unexpected("set the MAC address of \(name)", result)
        }
    }

    /// Packets that may wait in each queue of a tap for its reader.
    static func setQueueLength(_ packets: Int, of name: String) throws(UringError) {
        let result = unsafe vx_device_set_queue_length(name, Int32(clamping: packets))
        guard result == 0 else {
            throw UringError.unexpected("set the queue length of \(name)", result)
        }
    }

    /// No ARP and no IPv6: the kernel sends nothing into it but what its routes say.
    static func setRoutedOnly(_ name: String) throws(UringError) {
        let result = unsafe vx_device_set_no_arp(name)
        guard result == 0 else { throw UringError.unexpected("switch off ARP on \(name)", result) }
        // Where /proc may not be written, or IPv6 is not built in, its chatter is dropped.
        let path = "/proc/sys/net/ipv6/conf/\(name)/disable_ipv6"
        guard let file = unsafe fopen(path, "we") else { return }
        _ = unsafe fputs("1", file)
        _ = unsafe fclose(file)
    }

    /// Removes a device, whoever holds it open; its routes go with it.
    public static func remove(_ name: String) throws(UringError) {
        let result = unsafe vx_device_delete(name)
        guard result == 0 else { throw UringError.unexpected("remove device \(name)", result) }
    }

    /// IFF_UP and IFF_RUNNING.
    private static let upFlags: UInt32 = 0x41

    private static func addresses() throws(UringError) -> [(device: String, address: UInt32)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else {
            throw UringError.unexpected("list the addresses of this host", errno)
        }
        defer { unsafe freeifaddrs(list) }
        var found: [(device: String, address: UInt32)] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard let address = unsafe entry.pointee.ifa_addr,
                unsafe address.pointee.sa_family == sa_family_t(AF_INET),
                let name = unsafe entry.pointee.ifa_name
            else { continue }
            let bits = unsafe UnsafeRawPointer(address).loadUnaligned(
                fromByteOffset: 4, as: UInt32.self)
            unsafe found.append((String(cString: name), UInt32(bigEndian: bits)))
        }
        return found
    }
}
