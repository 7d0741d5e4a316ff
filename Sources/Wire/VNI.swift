/// A VXLAN network identifier, 24 bits (RFC 7348 section 5). Configured ones are 1...16777215.
public struct VNI: Hashable, Sendable, BitwiseCopyable, Comparable, CustomStringConvertible {
    public var bits: UInt32

    /// Takes the low 24 bits.
    @_noLocks
    public init(bits: UInt32) { self.bits = bits & 0xFF_FFFF }

    /// What a configuration may name.
    public static let configurable: ClosedRange<Int> = 1...0xFF_FFFF

    @_noLocks
    public static func < (left: VNI, right: VNI) -> Bool { left.bits < right.bits }

    public var description: String { String(bits) }
}
