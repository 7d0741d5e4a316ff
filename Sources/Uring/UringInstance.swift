internal import CLiburing
internal import CLinux
import Glibc
internal import Synchronization

/// Rings given back so far.
///
/// The kernel may map a new ring where one was that another thread has given back. It orders the
/// two by itself; this says so to those who look for data races.
private let closedRings = Atomic<UInt64>(0)

/// One io_uring: the single way by which a worker's packets enter and leave the kernel.
///
/// A trivial handle to state on the heap, so that hot code copies it without reference counting.
/// `close()` ends it; no copy is used after that.
///
/// Thread-safety: only the thread that made it may use it (the kernel refuses others with EEXIST).
@safe
public struct UringInstance {
    let state: UnsafeMutablePointer<UringState>

    /// - Parameters:
    ///   - entries: submissions of one turn, a power of two up to 32768.
    ///   - completionEntries: completions that may wait; at least twice what can be in flight,
    ///     since the kernel keeps those beyond it in a slower list.
    /// - Throws: when io_uring is switched off, forbidden, or older than Linux 6.0.
    public init(entries: UInt32, completionEntries: UInt32) throws(UringError) {
        let made = UnsafeMutablePointer<UringState>.allocate(capacity: 1)
        unsafe made.initialize(to: UringState())
        unsafe state = made
        do throws(UringError) {
            try open(entries: entries, completionEntries: completionEntries)
        } catch {
            unsafe made.deinitialize(count: 1)
            unsafe made.deallocate()
            throw error
        }
    }

    /// Ends what is in flight, lets go of the files and gives the ring back to the kernel.
    ///
    /// A ring that is merely closed is emptied by the kernel some time later: a socket would keep
    /// its port, and a tap its device, when the program has ended already.
    public func close() {
        var everything = io_uring_sync_cancel_reg()
        everything.flags = 1 << 2  // IORING_ASYNC_CANCEL_ANY
        everything.timeout.tv_sec = 1
        _ = unsafe io_uring_register_sync_cancel(&state.pointee.ring, &everything)
        _ = submit(waitFor: 1, timeoutNanoseconds: 0)
        _ = unsafe io_uring_unregister_files(&state.pointee.ring)
        closedRings.add(1, ordering: .releasing)
        unsafe io_uring_queue_exit(&state.pointee.ring)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The descriptor of the ring, for `UringFeatures` and for messages from other rings.
    public var descriptor: Int32 { unsafe state.pointee.ring.ring_fd }

    /// The modes in force, strongest first, as `show runtime` prints them.
    public var setupFlags: UringSetup { unsafe state.pointee.setup }

    /// What has happened since the start.
    public var statistics: UringStatistics {
        @_noLocks get { unsafe state.pointee.statistics }
    }
}

/// Everything a ring needs each turn, in one block that no one copies.
@unsafe
struct UringState {
    var ring = unsafe io_uring()
    var submissionHead: UnsafeMutablePointer<UInt32>! = nil
    var submissionTail: UnsafeMutablePointer<UInt32>! = nil
    var submissionFlags: UnsafeMutablePointer<UInt32>! = nil
    var submissions: UnsafeMutablePointer<io_uring_sqe>! = nil
    var submissionMask: UInt32 = 0
    var submissionCount: UInt32 = 0
    /// The tail as we have filled it; the kernel sees it at `submit`.
    var filledTail: UInt32 = 0
    var completionHead: UnsafeMutablePointer<UInt32>! = nil
    var completionTail: UnsafeMutablePointer<UInt32>! = nil
    var completions: UnsafeMutablePointer<io_uring_cqe>! = nil
    var completionMask: UInt32 = 0
    var enterDescriptor: Int32 = -1
    var enterFlags: UInt32 = 0
    var setup: UringSetup = []
    var statistics = UringStatistics()
    var tableCount: Int32 = 0
    var tableFree: [Int32] = []
}

extension UringInstance {
    private func open(entries: UInt32, completionEntries: UInt32) throws(UringError) {
        var result: Int32 = -EINVAL
        for candidate in UringSetup.candidates where result == -EINVAL {
            var parameters = io_uring_params()
            parameters.flags = candidate.rawValue
            parameters.cq_entries = completionEntries
            result = unsafe io_uring_queue_init_params(entries, &state.pointee.ring, &parameters)
            if result == 0 { unsafe state.pointee.setup = candidate }
        }
        guard result == 0 else { throw Self.explain(result, entries: completionEntries) }
        _ = closedRings.load(ordering: .acquiring)
        unsafe state.pointee.adoptQueues()
        // A registered descriptor saves a look-up for each turn; without it the ordinary one works.
        if unsafe io_uring_register_ring_fd(&state.pointee.ring) == 1 {
            unsafe state.pointee.enterDescriptor = state.pointee.ring.enter_ring_fd
            unsafe state.pointee.enterFlags = 1 << 4
        }
    }

    static func explain(_ result: Int32, entries: UInt32) -> UringError {
        let code = -result
        switch code {
        case EPERM, EACCES:
            let (state, remedy) = explainSwitch()
            return UringError(
                "io_uring is forbidden here (\(state))", remedy: remedy, code: code)
        case ENOSYS:
            return UringError(
                "this kernel has no io_uring, or a seccomp profile hides it",
                remedy: "use Linux 6.1 or newer with kernel.io_uring_disabled=0 and allow the"
                    + " io_uring_* system calls", code: code)
        case ENOMEM:
            let limit = vx_locked_memory_limit()
            return UringError(
                "no memory for an io_uring of \(entries) completions (locked-memory limit"
                    + " \(limit < 0 ? "unlimited" : "\(limit) bytes"))",
                remedy: "raise the limit (`ulimit -l unlimited`, systemd LimitMEMLOCK=infinity)",
                code: code)
        case EMFILE, ENFILE:
            return UringError(
                "no file descriptor is left for an io_uring",
                remedy: "raise the limit (`ulimit -n`, systemd LimitNOFILE=)", code: code)
        default:
            return .unexpected("create an io_uring of \(entries) completions", result)
        }
    }

    /// What the system-wide switch says, and what that asks of the operator.
    private static func explainSwitch() -> (state: String, remedy: String) {
        let open = "run `sysctl -w kernel.io_uring_disabled=0`"
        let seccomp = "allow the io_uring_* system calls in the container's seccomp profile"
        let file = unsafe fopen("/proc/sys/kernel/io_uring_disabled", "re")
        guard let file = unsafe file else {
            return ("kernel.io_uring_disabled is not readable", "\(open), or \(seccomp)")
        }
        let value = unsafe fgetc(file)
        unsafe fclose(file)
        switch value {
        case 48: return ("kernel.io_uring_disabled is 0: a seccomp profile denies it", seccomp)
        case 49:
            return (
                "kernel.io_uring_disabled is 1",
                "\(open), give CAP_SYS_ADMIN, or join the group of kernel.io_uring_group"
            )
        default: return ("kernel.io_uring_disabled is 2", open)
        }
    }
}

extension UringState {
    fileprivate mutating func adoptQueues() {
        unsafe submissionHead = ring.sq.khead
        unsafe submissionTail = ring.sq.ktail
        unsafe submissionFlags = ring.sq.kflags
        unsafe submissions = ring.sq.sqes
        unsafe submissionCount = ring.sq.ring_entries
        unsafe submissionMask = submissionCount &- 1
        unsafe completionHead = ring.cq.khead
        unsafe completionTail = ring.cq.ktail
        unsafe completions = ring.cq.cqes
        unsafe completionMask = ring.cq.ring_mask
        unsafe enterDescriptor = ring.ring_fd
        // Entry n of the queue is always submission n, so the kernel's index array never changes.
        for index in unsafe 0..<Int(submissionCount) {
            unsafe ring.sq.array[index] = UInt32(index)
        }
    }
}
