import Control
import Dataplane
import TestKit
import Testing

/// Runs each case in a gateway of its own.
func expectAll(_ cases: [PacketCase], in configuration: Configuration) {
    for row in cases {
        let difference = row.difference(in: TestGateway(configuration))
        #expect(difference == nil)
    }
}

/// Runs the cases one after the other in one gateway, for tables of packets that teach it nothing.
func expectAll(_ cases: [PacketCase], in gateway: TestGateway) {
    for row in cases {
        let difference = row.difference(in: gateway)
        #expect(difference == nil)
    }
}

extension Configuration {
    /// A copy with changes.
    func with(_ change: (inout Configuration) -> Void) -> Configuration {
        var copy = self
        change(&copy)
        return copy
    }

    /// A copy in which one VSI is changed.
    func with(vsi name: String, _ change: (inout VSI) -> Void) -> Configuration {
        with { copy in
            for index in copy.vsis.indices where copy.vsis[index].name == name {
                change(&copy.vsis[index])
            }
        }
    }
}
