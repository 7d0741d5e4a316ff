#pragma once
#include <features.h>
#include <stddef.h>
#include <stdint.h>

#define VX_INLINE static inline __attribute__((always_inline))
// Swift's performance checker takes the word of this attribute for a C function.
#define VX_HOT __attribute__((swift_attr("@_noLocks")))
#include "vx_atomic.h"
#include "vx_thread.h"
#include "vx_uring.h"
#include "vx_socket.h"
#include "vx_device.h"
#include "vx_program.h"
