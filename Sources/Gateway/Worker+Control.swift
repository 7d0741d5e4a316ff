internal import CLinux
internal import Dataplane
internal import Glibc
internal import Memory
internal import Synchronization
internal import Uring
internal import Wire

/// The parts of a worker that are not packets: waiting, and devices that come and go.
extension Worker {
    /// Paused receivers are tried again, and a worker that nobody wakes shows that it lives.
    static let sleepNanoseconds: Int64 = 1_000_000_000
    /// Who only has parked packets left to wait for is not always woken when they may go on.
    static let parkedNanoseconds: Int64 = 1_000_000
    /// How long a peer whose route refused a segmented send gets plain ones.
    static let refusalNanoseconds: UInt64 = 60_000_000_000

    /// More completions than a wait for packets ever brings, since one stands for many of them.
    static let gatheredCompletions: UInt32 = 4096

    /// Waits for work: where packets come quickly, until some have gathered; else first awake, then
    /// in the kernel.
    func idle(_ link: WorkerLink) {
        if gatherPackets() { return }
        snapshot.rest(number)
        while vx_monotonic_nanoseconds() &- lastWork < spin.nanoseconds {
            if ring.needsEnter { ring.submit() }
            if ring.hasCompletions { return }
            // The packet that is waited for may come from, or go to, what shares this CPU.
            _ = sched_yield()
        }
        link.buffersInUse.store(slots.usedCount(), ordering: .relaxed)
        let start = vx_monotonic_nanoseconds()
        let limit = holdOrder.hasParked ? Worker.parkedNanoseconds : Worker.sleepNanoseconds
        ring.submit(waitFor: 1, timeoutNanoseconds: limit)
        let end = vx_monotonic_nanoseconds()
        counters.add(end &- start, .blockedNanoseconds)
        counters.add(1, .wakeups)
        spin.note(gap: end &- lastWork)
        keepHouse(end)
    }

    /// Sleeps for the time in which some packets come. False when none has.
    private func gatherPackets() -> Bool {
        let now = vx_monotonic_nanoseconds()
        if gather.note(packets: arrived, now: now) { arrived = 0 }
        guard gather.nanoseconds > 0, now &- lastWork < gather.nanoseconds else { return false }
        snapshot.rest(number)
        ring.submit(
            waitFor: Worker.gatheredCompletions,
            timeoutNanoseconds: Int64(truncatingIfNeeded: gather.nanoseconds))
        counters.add(vx_monotonic_nanoseconds() &- now, .blockedNanoseconds)
        counters.add(1, .wakeups)
        return ring.hasCompletions
    }

    /// Once a second: receivers that gave up after errors try again.
    func keepHouse(_ now: UInt64) {
        guard now &- lastHousekeeping > UInt64(Worker.sleepNanoseconds) else { return }
        lastHousekeeping = now
        for index in 0..<deviceBound { unsafe devices[index].receiver?.retry() }
        underlayReceiver.retry()
        replenish()
        // A path that has become shorter refuses segmented sends too, and paths become longer
        // again.
        guard now &- lastRefusalReset > Worker.refusalNanoseconds else { return }
        lastRefusalReset = now
        for peer in 0..<refusesSegmentation.count { refusesSegmentation[peer] = false }
    }

    func takeCommands(_ link: WorkerLink) {
        while let command = link.controlToWorker.pop() {
            switch command.kind {
            case .attach: attach(command)
            case .detach: detach(Int(command.device), link)
            case .replaceUnderlay: replaceUnderlay(command.reference, link)
            }
        }
    }

    private func replaceUnderlay(_ reference: UInt, _ link: WorkerLink) {
        guard let address = unsafe UnsafeRawPointer(bitPattern: reference) else { return }
        let plan = unsafe Unmanaged<UnderlayPlan>.fromOpaque(address).takeRetainedValue()
        underlay.deallocate(from: ring)
        underlay = UnderlayFiles(plan, ring: ring)
        tap = TunnelTap(plan, file: tap.file)
        for index in 0..<refusesSegmentation.count { refusesSegmentation[index] = false }
        link.acknowledged.add(1, ordering: .acquiringAndReleasing)
    }

    private func attach(_ command: WorkerCommand) {
        let index = Int(command.device)
        let kind: MultishotReceiver.Kind =
            command.isTap ? (hasMultishotRead ? .frames : .singleFrames) : .packets
        let file = ring.register(command.descriptor)
        let receiver =
            command.isReader
            ? MultishotReceiver(
                kind: kind, file: file, buffers: accessBuffers,
                userData: Source.device | UInt64(index)) : nil
        unsafe devices[index] = DevicePort(
            isAttached: true, isTap: command.isTap,
            takesDatagramSuperPackets: command.takesDatagramSuperPackets, file: file,
            receiver: receiver)
        deviceBound = max(deviceBound, index + 1)
        receiver?.armIfNeeded(on: ring)
        ring.submit()
    }

    private func detach(_ index: Int, _ link: WorkerLink) {
        guard unsafe devices[index].isAttached else {
            link.acknowledged.add(1, ordering: .acquiringAndReleasing)
            return
        }
        unsafe devices[index].isLeaving = true
        if let receiver = unsafe devices[index].receiver, receiver.isArmed {
            _ = ring.cancel(receiver.userData, userData: Source.cancel)
            ring.submit()
        } else {
            release(index, link)
        }
    }

    /// Ends the devices whose last completion has come.
    func releaseLeavingDevices(_ link: WorkerLink) {
        hasLeavingDevices = false
        for index in 0..<deviceBound {
            let device = unsafe devices[index]
            guard device.isLeaving, device.receiver?.isArmed == false else { continue }
            release(index, link)
        }
    }

    /// The receive of a leaving device has ended: nothing refers to it any more.
    private func release(_ index: Int, _ link: WorkerLink) {
        unsafe devices[index].receiver?.close()
        ring.remove(unsafe devices[index].file)
        unsafe devices[index] = DevicePort()
        link.acknowledged.add(1, ordering: .acquiringAndReleasing)
    }
}
