internal import Uring

/// A device as one worker sees it: its queue to receive from and to send into.
struct DevicePort {
    var isAttached = false
    var isLeaving = false
    var isTap = false
    var takesDatagramSuperPackets = false
    var file = UringFile(descriptor: -1)
    /// nil where another worker reads for all of them.
    var receiver: MultishotReceiver?
}
