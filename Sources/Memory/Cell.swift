/// One mutable value behind a trivial handle, where a `struct` of columns needs a scalar beside
/// them.
///
/// Thread-safety: none; it belongs to one thread.
@safe
public struct Cell<Value: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Value>

    public init(_ value: Value) {
        unsafe base = .allocate(capacity: 1)
        unsafe base.initialize(to: value)
    }

    /// A part of memory that somebody else owns and frees.
    /// - Parameter memory: aligned for a value.
    @_transparent @unsafe
    public init(at memory: UnsafeMutableRawPointer) {
        unsafe base = memory.assumingMemoryBound(to: Value.self)
    }

    @inlinable
    public var value: Value {
        @_transparent get { unsafe base.pointee }
        @_transparent nonmutating set { unsafe base.pointee = newValue }
    }

    public func deallocate() { unsafe base.deallocate() }
}
