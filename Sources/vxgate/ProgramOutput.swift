import Glibc

/// Runs another program and takes what it prints.
enum ProgramOutput {
    /// Where a program is. The directories of administration are not on every user's PATH.
    static func path(of program: String) -> String? {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let directories =
            path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin"]
        return directories.map { "\($0)/\(program)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// Standard output of a program that ends with status 0; nil when it does not. Both questions
    /// that are asked end by themselves: they read tables of the kernel.
    static func read(_ words: [String]) -> String? {
        var pipe: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&pipe) == 0 else { return nil }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
        }
        var process = pid_t()
        let started = unsafe posix_spawn(
            &process, words[0], &actions, nil, &arguments, environ)
        close(pipe[1])
        defer { close(pipe[0]) }
        guard started == 0 else { return nil }
        let output = ProcessFiles.readAll(pipe[0])
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? String(decoding: output, as: UTF8.self) : nil
    }
}
