public import Wire

/// Memory for the frames of one test. Each frame has an allocation of exactly its size, so that the
/// address sanitizer sees a read or write one byte beyond it. All of it is freed with the arena,
/// which a test keeps alive as long as it uses the views.
@safe
public final class FrameArena {
    private var blocks: [UnsafeMutablePointer<UInt8>] = unsafe []

    public init() {}

    deinit {
        for index in unsafe blocks.indices { unsafe blocks[index].deallocate() }
    }

    /// A copy of `bytes`.
    public func frame(_ bytes: [UInt8]) -> FrameView {
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        unsafe bytes.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            unsafe block.initialize(from: base, count: $0.count)
        }
        unsafe blocks.append(block)
        return unsafe FrameView(base: block, count: bytes.count)
    }

    /// `count` bytes of 0xA5, which no header starts with by chance.
    public func frame(count: Int) -> FrameView {
        frame([UInt8](repeating: 0xA5, count: count))
    }
}

extension FrameView {
    /// A copy of the bytes.
    public var bytes: [UInt8] {
        unsafe Array(UnsafeBufferPointer(start: pointer, count: count))
    }

    /// A copy of `length` bytes at `offset`.
    public func bytes(at offset: Int, _ length: Int) -> [UInt8] {
        dropFirst(offset).prefix(length).bytes
    }
}
