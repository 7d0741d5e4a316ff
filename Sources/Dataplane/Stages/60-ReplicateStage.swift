internal import Memory
internal import Tables
internal import Wire

/// Turns lanes into outputs, one for each copy that leaves: head-end replication.
///
/// Copies share the bytes of their lane; what differs is written beside them when they are sent.
///
/// Reads: `verdict`, `egress`, `vsi`, `ingress`, the flood list of the VSI.
/// Writes: `outputLane`, `outputDestination`, `outputBytes`.
/// Drops: `noFloodTarget`; `floodDisabled` for a routed packet whose next hop is in no table.
/// Cost: one row a copy. Standard: RFC 7348 section 4.2; nothing from a tunnel goes back into one.
public enum ReplicateStage {
    /// Where replication goes on when the outputs were full: a position in `active` and how many
    /// targets of that lane are done.
    public struct Cursor: BitwiseCopyable, Sendable {
        public var position: Int
        public var target: Int
        /// Copies made of the lane at `position` so far.
        public var copies: Int

        @_noLocks
        public init() {
            position = 0
            target = 0
            copies = 0
        }
    }

    /// Fills the outputs. False when lanes are left over; then the outputs are to be sent and the
    /// stage called again with the same cursor.
    @_noLocks
    public static func process(_ pipeline: Pipeline, _ cursor: inout Cursor) -> Bool {
        let batch = pipeline.batch
        batch.outputCount.value = 0
        batch.outputBytes.value = 0
        let count = batch.activeCount.value
        while cursor.position < count {
            cursor.position = forward(from: cursor.position, to: count, batch)
            guard cursor.position < count else { break }
            let lane = Int(batch.active[cursor.position])
            switch batch.verdict[lane] {
            case .forward: return false
            case .replicate:
                guard replicate(lane, pipeline, &cursor) else { return false }
            case .pending, .route, .consumed, .held, .dropped:
                batch.drop(lane, .internalUnknownVerdict, pipeline.counters)
            }
            cursor.position &+= 1
            cursor.target = 0
            cursor.copies = 0
        }
        return true
    }

    /// Makes an output of each lane that has one destination, up to a lane that is not such or
    /// finds no room.
    /// - Returns: its position.
    @_noLocks @inline(__always)
    private static func forward(from start: Int, to end: Int, _ batch: PacketBatch) -> Int {
        var position = start
        var output = batch.outputCount.value
        var bytes = batch.outputBytes.value
        while position < end, output < PacketBatch.outputCapacity {
            let lane = batch.active[position]
            guard case .forward = batch.verdict[Int(lane)] else { break }
            batch.outputLane[output] = lane
            batch.outputDestination[output] = batch.egress[Int(lane)]
            bytes &+= UInt64(batch.lengths[Int(lane)])
            output &+= 1
            position &+= 1
        }
        batch.outputCount.value = output
        batch.outputBytes.value = bytes
        return position
    }

    @_noLocks @inline(never)
    private static func replicate(
        _ lane: Int, _ pipeline: Pipeline, _ cursor: inout Cursor
    ) -> Bool {
        let batch = pipeline.batch
        let vsi = pipeline.tables.vsis[Int(batch.vsi[lane])]
        let origin = batch.ingress[lane]
        // What is bridged was asked in its own VSI; what is routed is now in that of its next hop.
        if !vsi.has(.floodsUnknownUnicast), !MACAddress(bits: batch.destinationMAC[lane]).isGroup {
            batch.drop(lane, .floodDisabled, pipeline.counters)
            return true
        }
        // Peers follow the ports; a frame out of a tunnel stops before them.
        var count = Int(vsi.portCount &+ vsi.peerCount)
        switch batch.floodScope[lane] {
        case .all: if origin.isPeer { count = Int(vsi.portCount) }
        case .local: count = Int(vsi.portCount)
        case .remote: cursor.target = max(cursor.target, Int(vsi.portCount))
        }
        while cursor.target < count {
            let target = pipeline.tables.floodTargets[Int(vsi.firstPort) &+ cursor.target]
            if target.bits != origin.bits {
                guard append(lane, target, batch) else { return false }
                if cursor.copies > 0 { pipeline.counters.add(1, .replicated) }
                cursor.copies &+= 1
            }
            cursor.target &+= 1
        }
        if cursor.copies == 0 { batch.drop(lane, .noFloodTarget, pipeline.counters) }
        return true
    }

    @_noLocks
    private static func append(
        _ lane: Int, _ destination: Destination, _ batch: PacketBatch
    ) -> Bool {
        let output = batch.outputCount.value
        guard output < PacketBatch.outputCapacity else { return false }
        batch.outputLane[output] = UInt8(truncatingIfNeeded: lane)
        batch.outputDestination[output] = destination
        batch.outputCount.value = output &+ 1
        batch.outputBytes.value = batch.outputBytes.value &+ UInt64(batch.lengths[lane])
        return true
    }
}
