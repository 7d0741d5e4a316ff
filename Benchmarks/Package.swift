// swift-tools-version: 6.2
import PackageDescription

// The pure targets of the project again, by links, so that a measurement builds them and not the
// servers beside them. `strict`, `march` and `hot` are those of the project's own manifest: the
// machine code under measurement must be the gateway's.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let march = Context.environment["VXGATE_MARCH"].map { ["-Xcc", "-march=\($0)"] } ?? []

let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-cross-module-optimization"] + march, .when(configuration: .release)),
        .unsafeFlags(
            ["-Xllvm", "-sil-disable-pass=performance-diagnostics"],
            .when(configuration: .debug)),
    ]

let package = Package(
    name: "vxgate-benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Without its traits it needs no allocator of its own; nothing here allocates.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .systemLibrary(
            name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .target(name: "CLinux", dependencies: ["CLiburing"]),
        .target(name: "Wire", swiftSettings: hot),
        .target(name: "Memory", dependencies: ["CLinux"], swiftSettings: hot),
        .target(name: "Tables", dependencies: ["Wire", "Memory", "CLinux"], swiftSettings: hot),
        .target(
            name: "Dataplane", dependencies: ["Tables", "Wire", "Memory", "CLinux"],
            swiftSettings: hot),
        .target(
            name: "Workload",
            dependencies: ["Dataplane", "Tables", "Wire", "Memory", "CLinux"],
            swiftSettings: hot),
        .executableTarget(
            name: "clocks",
            dependencies: [
                "Workload", "Dataplane",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Forwarding",
            dependencies: [
                "Workload", "Dataplane", .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Forwarding",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
