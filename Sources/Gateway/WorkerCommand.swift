/// What the control side asks of a worker, through the ring `controlToWorker`.
struct WorkerCommand: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// Begin to send into `descriptor`, and to receive from it where `isReader`.
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
    /// False where another worker receives what the device has for all of them.
    var isReader = true
    /// The device takes UDP super-packets.
    var takesDatagramSuperPackets: Bool
    var descriptor: Int32
    /// A retained `UnderlayPlan`, for `replaceUnderlay`.
    var reference: UInt = 0

    static let filler = WorkerCommand(
        kind: .detach, device: 0, isTap: false, takesDatagramSuperPackets: false, descriptor: -1)
}
