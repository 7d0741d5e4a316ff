internal import Uring

/// The sending sockets of the underlay in one ring, as flat memory that the send path indexes.
///
/// Thread-safety: its worker; immutable after `init`.
@safe
struct UnderlayFiles {
    private let files: UnsafeMutablePointer<UringFile>
    /// Source ports; each set has so many files.
    let spread: Int
    let port: UInt16
    let defaultTOS: UInt8
    let defaultTTL: UInt8
    let hasSegmentation: Bool
    private let hasSet: (Bool, Bool, Bool, Bool)

    /// - Parameter ring: where the sockets are registered.
    init(_ plan: UnderlayPlan, ring: UringInstance) {
        let sets = plan.plain + (plan.segmented.isEmpty ? [[], []] : plan.segmented)
        let spread = sets.map(\.count).max() ?? 1
        unsafe files = .allocate(capacity: max(spread * 4, 1))
        for set in 0..<4 {
            for index in 0..<spread {
                let sockets = sets[set]
                let file =
                    sockets.isEmpty
                    ? UringFile(descriptor: -1)
                    : ring.register(sockets[index % sockets.count].descriptor)
                unsafe (files + set * spread + index).initialize(to: file)
            }
        }
        self.spread = spread
        port = plan.port
        defaultTOS = plan.defaultTOS
        defaultTTL = plan.defaultTTL
        hasSegmentation = !plan.segmented.allSatisfy(\.isEmpty)
        hasSet = (
            !sets[0].isEmpty, !sets[1].isEmpty, !sets[2].isEmpty, !sets[3].isEmpty
        )
    }

    /// The socket for a datagram. A set that was not opened cannot be asked for by the settings it
    /// was opened for; should it be, the other one serves.
    @_noLocks
    func file(sourcePort: UInt32, doNotFragment: Bool, isSegmented: Bool) -> UringFile {
        let index = Int(sourcePort) < spread ? Int(sourcePort) : 0
        let base = isSegmented ? 2 : 0
        let wanted = doNotFragment ? 1 : 0
        let isOpen =
            switch base &+ wanted {
            case 0: hasSet.0
            case 1: hasSet.1
            case 2: hasSet.2
            default: hasSet.3
            }
        let set = base &+ (isOpen ? wanted : 1 &- wanted)
        return unsafe files[set &* spread &+ index]
    }

    /// Frees the memory, after the ring is closed.
    func deallocate() { unsafe files.deallocate() }

    /// Takes the sockets out of a ring that goes on. Sends in flight keep theirs.
    func deallocate(from ring: UringInstance) {
        for index in 0..<spread * 4 { ring.remove(unsafe files[index]) }
        deallocate()
    }
}
