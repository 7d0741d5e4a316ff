#pragma once
// Atomics, clocks and CPU hints. Each is one or two instructions and inlines into Swift.
#include <stdint.h>
#include <time.h>

VX_HOT VX_INLINE uint16_t vx_load_acquire_u16(const uint16_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
VX_HOT VX_INLINE uint32_t vx_load_acquire_u32(const uint32_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
VX_HOT VX_INLINE uint64_t vx_load_acquire_u64(const uint64_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
VX_HOT VX_INLINE void vx_store_release_u16(uint16_t *_Nonnull p, uint16_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
VX_HOT VX_INLINE void vx_store_release_u32(uint32_t *_Nonnull p, uint32_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
VX_HOT VX_INLINE void vx_store_release_u64(uint64_t *_Nonnull p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
VX_HOT VX_INLINE uint32_t vx_load_relaxed_u32(const uint32_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE uint64_t vx_load_relaxed_u64(const uint64_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_store_relaxed_u32(uint32_t *_Nonnull p, uint32_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_store_relaxed_u64(uint64_t *_Nonnull p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

// For the few places where a store must be seen before a later load: epochs of readers and writer.
VX_HOT VX_INLINE void vx_store_sequential_u64(uint64_t *_Nonnull p, uint64_t v) {
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}
VX_HOT VX_INLINE uint64_t vx_load_sequential_u64(const uint64_t *_Nonnull p) {
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
VX_HOT VX_INLINE void vx_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
VX_HOT VX_INLINE _Bool vx_compare_exchange_u64(
    uint64_t *_Nonnull p, uint64_t expected, uint64_t desired) {
    return __atomic_compare_exchange_n(
        p, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// Which of the eight 16-bit numbers at `p`, aligned to 16 bytes, equal `number`: the two bits 2n
/// and 2n + 1 for the n-th. Another thread may store words of 8 bytes there: each is seen whole,
/// and what that thread stored before it too.
VX_HOT VX_INLINE uint32_t vx_match_u16x8(const uint64_t *_Nonnull p, uint16_t number) {
#if defined(__SSE2__)
    typedef uint16_t numbers __attribute__((vector_size(16)));
    typedef char octets __attribute__((vector_size(16)));
    numbers wanted = {number, number, number, number, number, number, number, number};
    // One load, which C has no word for: this architecture keeps loads in order, and aligned words
    // of 8 bytes whole.
#if defined(__AVX__)
    __asm__ volatile("vpcmpeqw %1, %0, %0" : "+x"(wanted) : "m"(*(const numbers *)p));
#else
    __asm__ volatile("pcmpeqw %1, %0" : "+x"(wanted) : "m"(*(const numbers *)p));
#endif
    return (uint32_t)__builtin_ia32_pmovmskb128((octets)wanted);
#else
    uint64_t low = vx_load_acquire_u64(p);
    uint64_t high = vx_load_acquire_u64(p + 1);
    uint32_t found = 0;
    for (int n = 0; n < 4; n++) {
        if ((uint16_t)(low >> (16 * n)) == number) found |= 3u << (2 * n);
        if ((uint16_t)(high >> (16 * n)) == number) found |= 0x300u << (2 * n);
    }
    return found;
#endif
}

VX_HOT VX_INLINE void vx_prefetch(const void *_Nonnull p) { __builtin_prefetch(p, 0, 3); }
VX_HOT VX_INLINE void vx_prefetch_for_write(const void *_Nonnull p) { __builtin_prefetch(p, 1, 3); }

/// Tells the CPU that this is a spin loop.
VX_HOT VX_INLINE void vx_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// The CPU's own constant-rate counter; its unit is the machine's (see vx_clocks_per_second).
VX_HOT VX_INLINE uint64_t vx_clocks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
#error "vx_clocks: add this architecture's cycle counter"
#endif
}

/// CLOCK_MONOTONIC in nanoseconds: never steps, read through the vDSO without a system call.
VX_HOT VX_INLINE uint64_t vx_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
