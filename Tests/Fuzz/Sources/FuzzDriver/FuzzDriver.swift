import Glibc

/// One input of the fuzzer. Zero; any other result would keep the input out of the corpus.
public typealias FuzzInput = @convention(c) (UnsafePointer<UInt8>, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ input: FuzzInput
) -> CInt

/// What the fuzz programs share: their `main`, and the way to say that an invariant broke.
public enum FuzzDriver {
    /// `PROGRAM --write-seeds FOLDER` writes the seeds there, one a file; any other command line is
    /// libFuzzer's.
    public static func run(
        _ argumentCount: CInt,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        seeds: () -> [[UInt8]], input: FuzzInput
    ) -> CInt {
        if argumentCount == 3, CommandLine.arguments[1] == "--write-seeds" {
            return write(seeds(), to: CommandLine.arguments[2])
        }
        var argumentCount = argumentCount
        var arguments = unsafe arguments
        return unsafe runDriver(&argumentCount, &arguments, input)
    }

    /// Ends the process, which libFuzzer records with its input, unless `condition` holds.
    public static func expect(
        _ condition: Bool, _ invariant: StaticString, file: StaticString = #fileID,
        line: UInt = #line
    ) {
        guard !condition else { return }
        fatalError("broken: \(invariant)", file: file, line: line)
    }

    private static func write(_ seeds: [[UInt8]], to folder: String) -> CInt {
        for (index, seed) in seeds.enumerated() {
            let path = "\(folder)/seed-\(index)"
            guard let file = unsafe fopen(path, "w") else {
                print("\(path): cannot be written: check that the folder exists")
                return 1
            }
            _ = unsafe seed.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
            unsafe fclose(file)
        }
        return 0
    }
}
