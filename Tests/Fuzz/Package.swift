// swift-tools-version: 6.2
import PackageDescription

// The pure targets of the project again, by links, so that they are compiled with the fuzzer's
// instrumentation and nothing else of the project has to be. `tools/fuzz` builds and runs it.

let fuzzed: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // An `assert` in hot code is meant for here.
    .unsafeFlags(["-sanitize=fuzzer,address", "-assert-config", "Debug"]),
]

/// libFuzzer brings `main`; without `-parse-as-library` the compiler would as well.
let program: [SwiftSetting] = fuzzed + [.unsafeFlags(["-parse-as-library"])]

/// ld.gold prints thousands of warnings about the two sanitizers together.
let linked: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]

let package = Package(
    name: "vxgate-fuzz",
    targets: [
        .systemLibrary(
            name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .target(name: "CLinux", dependencies: ["CLiburing"]),
        .target(name: "Wire", swiftSettings: fuzzed),
        .target(name: "Memory", dependencies: ["CLinux"], swiftSettings: fuzzed),
        .target(name: "Tables", dependencies: ["Wire", "Memory", "CLinux"], swiftSettings: fuzzed),
        .target(
            name: "Dataplane", dependencies: ["Tables", "Wire", "Memory", "CLinux"],
            swiftSettings: fuzzed),
        .target(
            name: "TestKit", dependencies: ["Dataplane", "Tables", "Wire", "Memory"],
            // Needs the control side, which is not fuzzed.
            exclude: ["Gateway"], swiftSettings: fuzzed),
        .target(
            name: "FuzzDriver", dependencies: ["Dataplane", "TestKit", "Wire"],
            swiftSettings: fuzzed),
        .executableTarget(
            name: "FuzzParse", dependencies: ["FuzzDriver", "Dataplane", "TestKit", "Wire"],
            swiftSettings: program, linkerSettings: linked),
        .executableTarget(
            name: "FuzzStep",
            dependencies: [
                "FuzzDriver", "Dataplane", "Tables", "Memory", "TestKit", "Wire",
            ],
            swiftSettings: program, linkerSettings: linked),
    ]
)
