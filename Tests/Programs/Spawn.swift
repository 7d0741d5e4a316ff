import Foundation

/// `posix_spawn` with what a program of a test needs: no input, outputs into files, a process group
/// of its own, and the signals as a shell gives them (the threads of the tests block most).
enum Spawn {
    static func start(
        _ words: [String], environment: [String: String], output: String, errors: String
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let create = O_WRONLY | O_CREAT | O_TRUNC
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, create, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, create, 0o600)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        let pairs = environment.map { "\($0.key)=\($0.value)" }
        var process: pid_t = 0
        let failure = unsafe withCStrings(words) { words in
            unsafe withCStrings(pairs) { pairs in
                unsafe posix_spawnp(&process, words[0]!, &actions, &attributes, words, pairs)
            }
        }
        guard failure == 0 else { throw SpawnFailure(program: words[0], code: failure) }
        return process
    }

    /// A null-terminated list of C strings, valid inside `body`.
    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
    ) rethrows -> Result {
        let list = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe list.indices { unsafe free(list[index]) }
        }
        return try unsafe list.withUnsafeBufferPointer { unsafe try body($0.baseAddress!) }
    }
}

/// The program could not be started.
struct SpawnFailure: Error, CustomStringConvertible {
    let program: String
    /// As in `errno(3)`.
    let code: Int32

    var description: String { unsafe "\(program): \(String(cString: strerror(code)))" }
}
