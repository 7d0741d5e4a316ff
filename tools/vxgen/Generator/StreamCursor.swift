internal import Memory

/// Where one worker stands in one stream.
///
/// The worker's flows of the stream lie together. Flow n of them leaves from file n modulo
/// `fileCount`, always, so that the kernel keeps its order.
struct StreamCursor: Sendable, BitwiseCopyable {
    /// The first of the worker's flows of this stream, among all its flows.
    let firstFlow: Int
    let flowCount: Int
    /// What the run calls that flow, and how far it is from one to the next.
    let firstNumber: UInt32
    let numberStride: UInt32
    let firstStep: Int
    let stepCount: Int
    let fileCount: Int
    /// The file and the step whose turn it is.
    var file = 0
    var step = 0

    @_noLocks
    mutating func advance(frames: Int) {
        file = file &+ 1 < fileCount ? file &+ 1 : 0
        guard stepCount > 1 else { return }
        step &+= frames
        if step >= stepCount { step = 0 }
    }
}
