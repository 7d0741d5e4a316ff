#pragma once
// Single-word atomics and clocks for memory that Swift's Synchronization module cannot own: words in
// mapped pages that several threads share. All of them compile to one or two plain instructions.
#include <stdint.h>

#ifndef VX_INLINE
#define VX_INLINE static inline __attribute__((always_inline))
#endif
#ifndef VX_HOT
#define VX_HOT __attribute__((swift_attr("@_noLocks")))
#endif

VX_HOT VX_INLINE uint64_t vx_atomic_load_acquire(const uint64_t *_Nonnull word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
VX_HOT VX_INLINE uint64_t vx_atomic_load_relaxed(const uint64_t *_Nonnull word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_atomic_store_release(uint64_t *_Nonnull word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
VX_HOT VX_INLINE void vx_atomic_store_relaxed(uint64_t *_Nonnull word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_atomic_store_sequential(uint64_t *_Nonnull word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
VX_HOT VX_INLINE uint64_t vx_atomic_load_sequential(const uint64_t *_Nonnull word) {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
VX_HOT VX_INLINE _Bool vx_atomic_compare_exchange(
    uint64_t *_Nonnull word, uint64_t expected, uint64_t desired) {
    return __atomic_compare_exchange_n(
        word, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE uint64_t vx_atomic_exchange(uint64_t *_Nonnull word, uint64_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL);
}
VX_HOT VX_INLINE uint32_t vx_atomic_load_relaxed_u32(const uint32_t *_Nonnull word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_atomic_store_relaxed_u32(uint32_t *_Nonnull word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}
VX_HOT VX_INLINE void vx_atomic_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
VX_HOT VX_INLINE void vx_atomic_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
VX_HOT VX_INLINE void vx_prefetch_read(const void *_Nonnull address) {
    __builtin_prefetch(address, 0, 3);
}

// The processor's cycle or virtual counter, for clocks a packet.
VX_HOT VX_INLINE uint64_t vx_cycle_counter(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return 0;
#endif
}
