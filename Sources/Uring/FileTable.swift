internal import CLiburing
import Glibc

/// The ring's table of files. Cold: called when ports come and go, on the ring's own thread.
extension UringInstance {
    /// Makes room for `count` files. Where the kernel refuses, files are named by descriptor.
    public func reserveFiles(_ count: Int) {
        let size = UInt32(clamping: count)
        guard size > 0, unsafe io_uring_register_files_sparse(&state.pointee.ring, size) == 0
        else { return }
        unsafe state.pointee.tableCount = Int32(size)
        unsafe state.pointee.tableFree = (0..<Int32(size)).reversed()
    }

    /// Puts a descriptor into the table, or names it by itself when the table is full. The table
    /// keeps the file open, closed descriptors included, until `remove`.
    public func register(_ descriptor: Int32) -> UringFile {
        guard let index = unsafe state.pointee.tableFree.popLast() else {
            return UringFile(descriptor: descriptor)
        }
        var value = descriptor
        let result = unsafe io_uring_register_files_update(
            &state.pointee.ring, UInt32(index), &value, 1)
        guard result == 1 else {
            unsafe state.pointee.tableFree.append(index)
            return UringFile(descriptor: descriptor)
        }
        return UringFile(tableIndex: index)
    }

    /// Takes a file out of the table. Operations in flight on it are the caller's to cancel.
    public func remove(_ file: UringFile) {
        guard file.isInTable else { return }
        var none: Int32 = -1
        let result = unsafe io_uring_register_files_update(
            &state.pointee.ring, UInt32(file.index), &none, 1)
        if result == 1 { unsafe state.pointee.tableFree.append(file.index) }
    }
}
