internal import Tables

/// The rows of a long table as it was at one moment, each made when it is looked at: they take
/// hundreds of bytes, and what they are made of a tenth of that.
public struct Rows<Row: Sendable>: RandomAccessCollection, Sendable {
    public let endIndex: Int
    private let row: @Sendable (Int) -> Row

    public var startIndex: Int { 0 }

    public init(count: Int, row: @escaping @Sendable (_ index: Int) -> Row) {
        endIndex = count
        self.row = row
    }

    public init(_ rows: [Row]) {
        self.init(count: rows.count) { rows[$0] }
    }

    public subscript(index: Int) -> Row { row(index) }
}

/// A port or peer as a VSI sees it.
struct Place: Hashable {
    let vsi: Int
    let destination: Destination
}

/// For each entry of a table the row of its place: what it has in common with the others there, so
/// that names are looked up once for all of them.
struct PlaceRows<Row: Sendable>: Sendable {
    private let row: @Sendable (Place) -> Row
    private var rows: [Row] = []
    private var indexes: [Place: Int] = [:]
    private var rowOf: [Int32] = []
    private var last: (place: Place, index: Int)?

    init(row: @escaping @Sendable (Place) -> Row) { self.row = row }

    var count: Int { rowOf.count }

    subscript(entry: Int) -> Row { rows[Int(rowOf[entry])] }

    mutating func append(_ place: Place) {
        if last?.place != place { last = (place, index(of: place)) }
        rowOf.append(Int32(last!.index))
    }

    private mutating func index(of place: Place) -> Int {
        if let index = indexes[place] { return index }
        rows.append(row(place))
        indexes[place] = rows.count - 1
        return rows.count - 1
    }
}
