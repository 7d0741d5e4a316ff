import Glibc

/// A file descriptor that closes with its last owner.
///
/// Thread-safety: immutable. Whoever hands `number` to a ring keeps this object alive until the
/// ring has finished with it.
public final class OwnedDescriptor: Sendable {
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}
