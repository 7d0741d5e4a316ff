import Glibc

/// Anonymous pages of the process, zeroed, given back when the object goes.
///
/// Pages that nobody touched cost address space only, so a region may be sized for the worst case.
/// Thread-safety: the region itself never changes; what lies in it is the business of its users.
@safe
public final class PageRegion: @unchecked Sendable {
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int

    /// - Parameter byteCount: rounded up to whole pages by the kernel; at least 1.
    public init(byteCount: Int) {
        precondition(byteCount > 0)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
        // Address space for a few hundred megabytes is always there on a 64-bit Linux.
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            preconditionFailure("mmap failed")
        }
        unsafe base = address
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(base, byteCount) }
}
