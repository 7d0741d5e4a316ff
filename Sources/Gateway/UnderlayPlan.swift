internal import Uring

/// The sockets of the underlay as a worker uses them: one to receive from, and the shared pool to
/// send from, by source port and by what the outer header needs.
///
/// The choice of DF and of the outer checksum is a socket's property, so the pool has a set of
/// sockets for each combination that the configuration can ask for.
final class UnderlayPlan: Sendable {
    let receiving: [DatagramSocket]
    /// Plain datagrams: `[DF clear, DF set]`, each empty when it cannot occur, else one for each
    /// source port.
    let plain: [[DatagramSocket]]
    /// Segmented sends, whose outer checksum the kernel fills; empty when it has no UDP_SEGMENT or
    /// the checksum is off.
    let segmented: [[DatagramSocket]]
    /// Where the sockets send to.
    let port: UInt16
    /// TOS and TTL the sockets were made with.
    let defaultTOS: UInt8
    let defaultTTL: UInt8

    init(
        receiving: [DatagramSocket], plain: [[DatagramSocket]], segmented: [[DatagramSocket]],
        port: UInt16, defaultTOS: UInt8, defaultTTL: UInt8
    ) {
        self.receiving = receiving
        self.plain = plain
        self.segmented = segmented
        self.port = port
        self.defaultTOS = defaultTOS
        self.defaultTTL = defaultTTL
    }
}
