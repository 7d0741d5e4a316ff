import Generator
import Wire

extension StreamPlan {
    /// The stream that most tests send.
    static func standard(size: String = "64", flows: Int = 1) -> StreamPlan {
        var stream = StreamPlan(
            sizes: FrameSizes(size)!,
            space: FlowSpace(
                source: IPv4Prefix("198.18.0.0/16")!, destination: IPv4Prefix("198.19.0.0/16")!,
                seed: 1))
        stream.flows = flows
        return stream
    }
}
