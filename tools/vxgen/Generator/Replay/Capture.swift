internal import Glibc
internal import Memory
public import Wire

/// A capture file in memory: its bytes, and where in them the frames lie.
///
/// Thread-safety: the list never changes; the bytes are the business of whoever uses them.
@safe
public final class Capture: @unchecked Sendable {
    /// One frame of the file.
    public struct Frame: Sendable, Equatable {
        public let offset: Int
        public let byteCount: Int
        /// Nanoseconds since 1970.
        public let time: UInt64
    }

    public let path: String
    public let frames: [Frame]
    /// Records left out: cut by the snapshot length, or of another link than Ethernet.
    public let truncated: Int
    public let foreign: Int
    private let region: PageRegion

    /// Reads a file of either format.
    /// - Throws: when it cannot be read or is no capture; a file that ends within a record is used
    ///   up to there.
    public init(path: String) throws(GeneratorError) {
        self.path = path
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.unreadable(path, errno) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw GeneratorError(
                "capture \(path)", "it is no regular file", remedy: "give a pcap or pcapng file")
        }
        let size = Int(status.st_size)
        region = PageRegion(byteCount: max(size, 1))
        var count = 0
        while count < size {
            let part = unsafe read(file, region.base + count, size - count)
            guard part > 0 else {
                if part == 0 { break }
                throw Self.unreadable(path, errno)
            }
            count += part
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: region.base, count: count)
        var parser = try unsafe CaptureParser(bytes, path)
        try parser.parse()
        frames = parser.frames
        truncated = parser.truncated
        foreign = parser.foreign
    }

    /// The bytes of a frame, which may be changed.
    public func view(_ frame: Frame) -> FrameView {
        unsafe FrameView(
            base: region.base.assumingMemoryBound(to: UInt8.self) + frame.offset,
            count: frame.byteCount)
    }

    private static func unreadable(_ path: String, _ code: Int32) -> GeneratorError {
        let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return GeneratorError(
            "capture \(path)", "it cannot be read: \(text)", remedy: "correct the path")
    }
}
