internal import CLiburing
internal import CLinux
import Glibc

/// What of io_uring is in use, as `show runtime` tells it: each name with `on` or `off: why`.
public struct UringFeatures: Sendable {
    /// Ordered by name.
    public let states: [(name: String, state: String)]

    /// Taps are read by multishot reads (Linux 6.7); else by one read at a time.
    public let hasMultishotRead: Bool

    /// Asks the kernel behind `ring`; on the ring's own thread.
    public init(probing ring: UringInstance) {
        let last = Self.lastOperation(of: ring)
        let setup = ring.setupFlags
        hasMultishotRead = last >= VX_OP_READ_MULTISHOT
        var states: [(name: String, state: String)] = [
            ("buffer_status", Self.text(Self.hasBufferStatus(ring), "needs Linux 6.8")),
            (
                "cooperative_task_work",
                Self.text(
                    setup.contains(.cooperativeWork) || setup.contains(.deferredWork),
                    "needs Linux 5.19")
            ),
            ("deferred_task_work", Self.text(setup.contains(.deferredWork), "needs Linux 6.1")),
            ("multishot_read", Self.text(hasMultishotRead, "needs Linux 6.7")),
            (
                "registered_files",
                unsafe Self.text(
                    ring.state.pointee.tableCount > 0, "not reserved")
            ),
            (
                "registered_ring",
                unsafe Self.text(
                    ring.state.pointee.enterFlags != 0, "refused by the kernel")
            ),
            ("single_issuer", Self.text(setup.contains(.singleIssuer), "needs Linux 6.0")),
            ("submit_all", Self.text(setup.contains(.submitAll), "needs Linux 5.18")),
        ]
        // Zero-copy sends came with the kernel that brought multishot receives of messages.
        states.append(("multishot_receive", Self.text(last >= 47, "needs Linux 6.0")))
        self.states = states.sorted { $0.name < $1.name }
    }

    private static func text(_ isOn: Bool, _ why: String) -> String {
        isOn ? "on" : "off: \(why)"
    }

    /// The highest operation the kernel knows; 0 when it does not say.
    private static func lastOperation(of ring: UringInstance) -> UInt8 {
        guard let probe = unsafe io_uring_get_probe_ring(&ring.state.pointee.ring)
        else { return 0 }
        defer { unsafe io_uring_free_probe(probe) }
        return unsafe probe.pointee.last_op
    }

    /// A group that does not exist is ENOENT where the question is understood, else EINVAL.
    private static func hasBufferStatus(_ ring: UringInstance) -> Bool {
        var status = vx_buffer_status()
        status.group = 0xFFFF
        let result = unsafe vx_uring_register(
            ring.descriptor, VX_REGISTER_PBUF_STATUS, &status, 1)
        return result == 0 || result == -ENOENT
    }
}
