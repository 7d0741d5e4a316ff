public import Control

extension VersionReport {
    /// `vxgate 1.0.0, gw1, pid 12, up 3h20m`.
    public var text: String {
        "vxgate \(version), \(name), pid \(pid), up \(spanText(seconds: Int(uptimeSeconds)))\n"
    }
}

extension TotalsReport {
    /// The identity of the packet accounts, as a sum that can be checked by eye.
    public var text: String {
        var table = TextTable([
            .number("RECEIVED"), .number("REPLICATED"), .number("TRANSMITTED"), .number("CONSUMED"),
            .number("DROPPED"), .number("HELD"),
        ])
        table.append([received, replicated, transmitted, consumed, dropped, held].map { "\($0)" })
        return table.text
    }
}

extension CountersReport {
    /// Stages, totals, and the events that have happened.
    public var text: String {
        var result = TextTable(stages).text + "\n" + totals.text
        let happened = events.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        if !happened.isEmpty {
            result += "\n" + TextTable(happened.map(EventReport.init)).text
        }
        return result
    }
}

extension RuntimeReport {
    /// One line a worker, then the stages of each, then what the kernel offers.
    public var text: String {
        var table = TextTable([
            .number("WORKER"), .number("CPU"), .number("BUSY"), .number("TURNS"),
            .number("WAKEUPS"),
            .number("SUBMISSIONS/TURN"), .number("COMPLETIONS/TURN"), .number("REARMED"),
            .text("BUFFERS-IN-USE"),
        ])
        for worker in workers {
            table.append([
                "\(worker.worker)", "\(worker.cpu)", decimalText(worker.busyShare * 100) + "%",
                "\(worker.turns)", "\(worker.wakeups)", decimalText(worker.submissionsPerTurn),
                decimalText(worker.completionsPerTurn), "\(worker.multishotRearmed)",
                "\(worker.buffersInUse)/\(worker.buffers)",
            ])
        }
        var result = table.text
        for worker in workers {
            result += "\nworker \(worker.worker)\n" + worker.counters.text
        }
        if !features.isEmpty {
            var table = TextTable([.text("FEATURE"), .text("STATE")])
            for (name, state) in features.sorted(by: { $0.key < $1.key }) {
                table.append([name, state])
            }
            result += "\n" + table.text
        }
        for part in inactive { result += "\nnot active in this version: \(part)\n" }
        return result
    }
}
