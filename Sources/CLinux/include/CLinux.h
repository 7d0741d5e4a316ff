#pragma once
#include <features.h>
#include <stdint.h>
#include <stddef.h>
#define VX_INLINE static inline __attribute__((always_inline))
#define VX_HOT __attribute__((swift_attr("@_noLocks")))
VX_HOT VX_INLINE uint64_t vx_load_acquire_u64(const uint64_t *_Nonnull p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
VX_HOT VX_INLINE void vx_prefetch(const void *_Nonnull p) { __builtin_prefetch(p, 0, 3); }
