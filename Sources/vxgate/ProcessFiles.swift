import ControlAPI
import Glibc

/// What `/proc` says about processes and their sockets.
enum ProcessFiles {
    /// The whole of a file; empty when it cannot be read.
    static func read(_ path: String) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return readAll(file)
    }

    /// What comes out of a descriptor until its end.
    static func readAll(_ file: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe Glibc.read(file, &part, part.count)
            if count > 0 {
                bytes += part[..<count]
            } else if count == 0 || errno != EINTR {
                return bytes
            }
        }
    }

    static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func name(of process: Int32) -> String? {
        String(decoding: read("/proc/\(process)/comm"), as: UTF8.self)
            .split(separator: "\n").first.map(String.init)
    }

    private static func names(in path: String) -> [String]? {
        guard let directory = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names
    }

    /// The processes that hold sockets, by inode; and whether every process could be looked into.
    static func owners(
        of inodes: Set<UInt64>
    ) -> (owners: [UInt64: HostFacts.Process], isComplete: Bool) {
        var owners: [UInt64: HostFacts.Process] = [:]
        var isComplete = true
        guard !inodes.isEmpty else { return (owners, isComplete) }
        for process in (names(in: "/proc") ?? []).compactMap({ Int32($0) }) {
            let directory = "/proc/\(process)/fd"
            guard let files = names(in: directory) else {
                // A process that has ended meanwhile holds nothing.
                if errno == EACCES || errno == EPERM { isComplete = false }
                continue
            }
            for file in files {
                guard let target = link("\(directory)/\(file)"), target.hasPrefix("socket:["),
                    let inode = UInt64(target.dropFirst(8).dropLast()), inodes.contains(inode)
                else { continue }
                owners[inode] = HostFacts.Process(
                    identifier: process, name: name(of: process) ?? "?")
            }
        }
        return (owners, isComplete)
    }
}
