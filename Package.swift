// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every Swift target of the project.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// `VXGATE_MARCH=x86-64-v3 swift build -c release` makes code for machines with AVX2 and what came
/// with it, in the loops that packets cross. Without it the programs run on every machine of the
/// architecture, and are as fast within 2 % (ARCHITECTURE.md, "Decisions").
let march = Context.environment["VXGATE_MARCH"].map { ["-Xcc", "-march=\($0)"] } ?? []

/// The same for the targets that packets cross. Their small functions are taken into each other's loops.
/// `@_noLocks` is proven in release builds: a debug build does not specialize the generic columns, so
/// the proof would fail there for no fault of the code.
let hot: [SwiftSetting] =
    strict + [
        .unsafeFlags(["-cross-module-optimization"] + march, .when(configuration: .release)),
        .unsafeFlags(
            ["-Xllvm", "-sil-disable-pass=performance-diagnostics"],
            .when(configuration: .debug)),
    ]

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "vxgate",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        .systemLibrary(
            name: "CLiburing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .target(name: "CLinux", dependencies: ["CLiburing"]),
        .target(name: "Wire", swiftSettings: hot),
        .target(name: "Memory", dependencies: ["CLinux"], swiftSettings: hot),
        .target(name: "Tables", dependencies: ["Wire", "Memory"], swiftSettings: hot),
        .target(
            name: "Dataplane", dependencies: ["Tables", "Wire", "Memory", "CLinux"],
            swiftSettings: hot),
        .target(
            name: "Uring", dependencies: ["CLiburing", "CLinux", "Memory"], swiftSettings: hot),
        .target(
            name: "Control",
            dependencies: [
                "Tables", "Wire", "Memory", .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Dataplane", "Control", "Uring", "Tables", "Wire", "Memory", "CLinux", logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: hot),
        .target(
            name: "ControlAPI",
            dependencies: [
                "Control", "Wire", logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "vxgate",
            dependencies: [
                "Gateway", "ControlAPI", "Control", "Wire", argumentParser, logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "Generator", dependencies: ["Uring", "Wire", "Memory", "CLinux"],
            path: "tools/vxgen/Generator", swiftSettings: hot),
        .executableTarget(
            name: "vxgen",
            dependencies: [
                "Generator", "Wire", argumentParser, .product(name: "Yams", package: "Yams"),
            ],
            path: "tools/vxgen/Program", swiftSettings: strict),
        .target(
            name: "TestKit", dependencies: ["Control", "Dataplane", "Tables", "Wire", "Memory"],
            path: "Tests/TestKit", swiftSettings: strict),
        .target(name: "Programs", path: "Tests/Programs", swiftSettings: strict),
        .target(
            name: "Simulation",
            dependencies: ["Control", "Dataplane", "Tables", "Wire", "Memory", "TestKit"],
            path: "Tests/SimulationTests/World", swiftSettings: strict),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation", argumentParser],
            path: "Tests/SimulationTests/Program", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation"],
            path: "Tests/SimulationTests/Tests", swiftSettings: strict),
        // The workloads of the in-memory benchmarks; the package in Benchmarks measures them.
        .target(
            name: "Workload", dependencies: ["Dataplane", "Tables", "Wire", "Memory", "CLinux"],
            path: "Benchmarks/Sources/Workload", swiftSettings: hot),
        .testTarget(
            name: "WorkloadTests", dependencies: ["Workload", "Dataplane"], swiftSettings: strict),
        .testTarget(name: "WireTests", dependencies: ["Wire", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "MemoryTests", dependencies: ["Memory", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "TablesTests", dependencies: ["Tables", "Wire", "Memory", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "DataplaneTests",
            dependencies: ["Control", "Dataplane", "Tables", "Wire", "Memory", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "UringTests", dependencies: ["Uring", "Memory", "CLinux", "CLiburing"],
            swiftSettings: strict),
        .testTarget(
            name: "ControlTests", dependencies: ["Control", "Tables", "Wire", "Memory", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "ControlAPITests", dependencies: ["ControlAPI", "Control", "Wire", "Programs"],
            swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Dataplane", "Control", "Tables", "Uring", "Wire", "Memory", "TestKit",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "VxgenTests",
            dependencies: [
                "vxgen", "Generator", "Uring", "Wire", "Memory", "Programs",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Wire", "Programs"], swiftSettings: strict),
    ]
)
