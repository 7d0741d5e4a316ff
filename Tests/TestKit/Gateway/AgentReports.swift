public import Control

/// The long tables as operators get them.
extension Agent {
    public func fdbReport(_ selection: Selection, now: UInt64) throws(ControlError) -> [FDBReport] {
        Array(try fdbListing(selection, now: now).rows())
    }

    public func arpReport(_ selection: Selection, now: UInt64) throws(ControlError) -> [ARPReport] {
        Array(try arpListing(selection, now: now).rows())
    }
}
