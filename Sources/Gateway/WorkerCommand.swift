/// What the control side asks of a worker, through the ring `controlToWorker`.
struct WorkerCommand: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// Begin to receive from `descriptor` and to send into it.
        case attach
        /// Stop using the device; `WorkerLink.acknowledged` counts it when it is done.
        case detach
        /// Send through other sockets from now on: those of the plan at `reference`, which is given
        /// up.
        case replaceUnderlay
    }

    var kind: Kind
    var device: UInt16
    var isTap: Bool
    /// The device takes UDP super-packets.
    var takesDatagramSuperPackets: Bool
    var descriptor: Int32
    /// A retained `UnderlayPlan`, for `replaceUnderlay`.
    var reference: UInt = 0

    static let filler = WorkerCommand(
        kind: .detach, device: 0, isTap: false, takesDatagramSuperPackets: false, descriptor: -1)
}
