/// A kernel program in the making: as many of eBPF's instructions as choosing a queue takes.
///
/// Of the registers `loaded` has what was loaded, and `packet` the packet; the others are free, but
/// `scratch` does not outlive a load. A load beyond the packet's end ends the program with the
/// result 0.
struct ProgramCode {
    enum Register: UInt64 {
        case loaded = 0
        case scratch = 2
        case packet = 6
        case start = 7
        case state = 8
        case kind = 9
    }

    enum Size: UInt64 {
        case word = 0x00
        case half = 0x08
        case byte = 0x10
    }

    /// Arithmetic on 64 bits without sign, with a constant or a register.
    enum Operation: UInt64 {
        case add = 0x07
        case multiply = 0x27
        case and = 0x57
        case shiftLeft = 0x67
        case shiftRight = 0x77
        case modulo = 0x97
        case xor = 0xA7
        case set = 0xB7
    }

    enum Condition: UInt64 {
        case always = 0x05
        case equal = 0x15
        case unequal = 0x55
    }

    /// A place to jump to, before it is known.
    struct Label { fileprivate let number: Int }

    private var words: [UInt64] = []
    private var places: [Int?] = []
    private var jumps: [(word: Int, label: Label)] = []

    /// Begins as every program that loads from a packet has to.
    init() { append(0xBF, to: .packet, from: 1) }

    private mutating func append(
        _ operation: UInt64, to target: Register, from source: UInt64 = 0, constant: Int32 = 0
    ) {
        let high = UInt64(UInt32(bitPattern: constant)) << 32
        words.append(high | source << 12 | target.rawValue << 8 | operation)
    }

    /// Loads from `offset` of the packet, behind what `base` holds if it is given.
    mutating func load(_ size: Size, _ offset: Int32, behind base: Register? = nil) {
        let mode: UInt64 = base == nil ? 0x20 : 0x40
        append(mode | size.rawValue, to: .loaded, from: base?.rawValue ?? 0, constant: offset)
    }

    mutating func apply(_ operation: Operation, _ target: Register, _ constant: Int32) {
        append(operation.rawValue, to: target, constant: constant)
    }

    mutating func apply(_ operation: Operation, _ target: Register, _ source: Register) {
        append(operation.rawValue | 0x08, to: target, from: source.rawValue)
    }

    mutating func newLabel() -> Label {
        places.append(nil)
        return Label(number: places.count - 1)
    }

    mutating func place(_ label: Label) { places[label.number] = words.count }

    mutating func jump(
        to label: Label, _ condition: Condition = .always, _ register: Register = .loaded,
        _ constant: Int32 = 0
    ) {
        jumps.append((words.count, label))
        append(condition.rawValue, to: register, constant: constant)
    }

    mutating func end() { append(0x95, to: .loaded) }

    /// The instructions, with every jump's distance filled in.
    func assembled() -> [UInt64] {
        var result = words
        for jump in jumps {
            guard let place = places[jump.label.number] else {
                preconditionFailure("a jump to nowhere")
            }
            let distance = UInt16(bitPattern: Int16(place - jump.word - 1))
            result[jump.word] |= UInt64(distance) << 16
        }
        return result
    }
}
