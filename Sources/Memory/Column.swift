import CLinux
/// A column
@safe
public struct Column<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let count: Int
    public init(count: Int) { unsafe base = .allocate(capacity: count); self.count = count }
    @inlinable
    public subscript(_ i: Int) -> Element {
        get { precondition(UInt(bitPattern: i) < UInt(bitPattern: count)); return unsafe base[i] }
        nonmutating set { precondition(UInt(bitPattern: i) < UInt(bitPattern: count)); unsafe base[i] = newValue }
    }
}
@_noLocks public func loadA(_ p: UnsafePointer<UInt64>) -> UInt64 { unsafe vx_load_acquire_u64(p) }
