/// The stages a packet crosses, in order, as counters and reports name them.
public enum Stage: Int, CaseIterable, Sendable {
    case receive, parse, classify, learn, bridge, route, replicate, encapsulate, transmit

    public var name: String { "\(self)" }
}
