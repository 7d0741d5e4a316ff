# shellcheck shell=bash
# What the scripts of this directory share. Sourced, never run: it needs bash and sets `root`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A crash report helper that waits for a terminal would hold the pipe of a script for ever.
export SWIFT_BACKTRACE=${SWIFT_BACKTRACE:-enable=no}

say() { printf '%s\n' "$@"; }

# fail WHERE WHAT WHAT-TO-DO: one line for the operator, then the end of the script.
fail() {
    printf '%s: %s: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

# Prints the Debian packages that hold what is missing for building and running the lab.
missing_packages() {
    local packages=()
    command -v pkg-config >/dev/null || packages+=(pkg-config)
    pkg-config --exists liburing 2>/dev/null || packages+=(liburing-dev)
    command -v ip >/dev/null || packages+=(iproute2)
    command -v ping >/dev/null || packages+=(iputils-ping)
    command -v nsenter >/dev/null || packages+=(util-linux)
    command -v python3 >/dev/null || packages+=(python3-minimal)
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        [ "$tool" = nft ] && tool=nftables
        packages+=("$tool")
    done
    printf '%s\n' "${packages[@]}"
}

# need_packages [TOOL...]: installs what is missing when that is allowed, else says what to install.
# Each TOOL is a program whose Debian package has its name, or nft.
need_packages() {
    local missing
    missing=$(missing_packages "$@" | tr '\n' ' ')
    missing=${missing% }
    [ -n "${missing// /}" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing: $missing"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # one word a package
        { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing; } \
            </dev/null >/dev/null || fail "${0##*/}" "cannot install $missing" \
            "see the lines above; install them by hand and start again"
    else
        fail "${0##*/}" "missing packages: $missing" \
            "install them (Debian: apt-get install $missing)"
    fi
}

need_swift() {
    command -v swift >/dev/null ||
        fail "${0##*/}" "there is no swift on the PATH" \
            "install Swift 6.3 (https://www.swift.org/install/linux) and start again"
}

# drop_stale SCRATCH: SwiftPM compiles C anew when a header changes, but not the Swift that imports
# it and may have inlined functions of it. Drops what was compiled before they were as they are.
drop_stale() {
    local now
    now=$(cd "$root" && find Sources/C* \( -name '*.h' -o -name '*.modulemap' \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
    [ "$now" = "$(cat "$1/headers.sum" 2>/dev/null)" ] && return
    rm -rf "$1"/*/{debug,release}/*.build
    mkdir -p "$1"
    say "$now" >"$1/headers.sum"
}

# build_release PRODUCT...: the programs as they are shipped. VXGATE_JOBS limits the compilers.
build_release() {
    local product
    drop_stale "$root/.build"
    for product in "$@"; do
        swift build --package-path "$root" -c release ${VXGATE_JOBS:+-j "$VXGATE_JOBS"} \
            --product "$product" || fail "${0##*/}" "the release build of $product failed" \
            "the compiler's first error above says where"
    done
}
