internal import Control
internal import Dataplane
internal import Memory
internal import Tables
internal import Wire

/// Writes an output as a worker's transmit does: tags and VXLAN header in front, checksums
/// finished.
///
/// A super-packet is written whole; cutting it is the business of `Segmenter` and its tests.
struct OutputWriter {
    private let pipeline: Pipeline
    private let arena: FrameArena
    private let portNames: [Int: String]
    private let peerNames: [Int: String]

    init(pipeline: Pipeline, agent: Agent, arena: FrameArena) {
        self.pipeline = pipeline
        self.arena = arena
        portNames = Dictionary(uniqueKeysWithValues: agent.portNames.map { ($0.value, $0.key) })
        peerNames = Dictionary(
            uniqueKeysWithValues: agent.peersByIndex.map { ($0.index, $0.name) })
    }

    func write(_ output: Int, lanesBefore: Int) -> Output {
        let batch = pipeline.batch
        let lane = Int(batch.outputLane[output])
        let destination = batch.outputDestination[output]
        var frame = batch.frame(lane).bytes
        if batch.segmentations[lane].needsChecksum {
            let copy = arena.frame(frame)
            _ = batch.segmentations[lane].completeChecksum(in: copy)
            frame = copy.bytes
        }
        if batch.vlan[lane] != 0 { insert(tag: batch.vlan[lane], into: &frame) }
        guard destination.isPeer else {
            let vlan = pipeline.tables.ports[destination.index].vlan
            if vlan != PortRecord.noVLAN { insert(tag: UInt32(vlan), into: &frame) }
            return Output(
                place: .port(portNames[destination.index] ?? "unknown"), bytes: frame,
                arrival: lanesBefore + lane, outer: nil)
        }
        let vni = pipeline.tables.vsis[Int(batch.vsi[lane])].vni
        let header: [UInt8] =
            [8, 0, 0, 0] + [UInt8(vni >> 16 & 255), UInt8(vni >> 8 & 255), UInt8(vni & 255), 0]
        let fields = batch.outputFields[output]
        return Output(
            place: .peer(peerNames[destination.index] ?? "unknown"), bytes: header + frame,
            arrival: lanesBefore + lane,
            outer: Output.Outer(
                sourcePort: batch.outputSourcePort[output],
                typeOfService: fields.typeOfService, timeToLive: fields.timeToLive,
                doNotFragment: fields.doNotFragment))
    }

    private func insert(tag: UInt32, into frame: inout [UInt8]) {
        let type: [UInt8] = tag & PacketBatch.tagIsService != 0 ? [0x88, 0xA8] : [0x81, 0x00]
        frame.insert(contentsOf: type + [UInt8(tag >> 8 & 255), UInt8(tag & 255)], at: 12)
    }
}
