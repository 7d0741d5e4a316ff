#pragma once
// Thread calls that Swift's Glibc overlay hides because they are GNU extensions.
// Those that return int give 0 (or the value) or -errno.
#include <stdint.h>

/// Binds the calling thread to one CPU.
int vx_pin_thread(int cpu);
/// Lets the calling thread run on every CPU again (undoes vx_pin_thread).
int vx_unpin_thread(void);
/// The CPUs this process may run on, lowest first; returns how many there are, of which at most
/// `capacity` are written.
int vx_available_cpus(int *_Nonnull cpus, int capacity);
/// Lets timed waits of the calling thread end as late as the kernel's clock makes them and not
/// later: of its own it adds 50 us.
int vx_wait_precisely(void);
int vx_thread_id(void);
/// Names the calling thread as seen in /proc and top; longer names are cut to 15 bytes.
int vx_set_thread_name(const char *_Nonnull name);
/// Ticks of vx_clocks in one second, measured over about 20 ms.
uint64_t vx_clocks_per_second(void);

/// A non-blocking, close-on-exec event counter.
int vx_eventfd(void);
/// Adds one to an event counter: wakes whoever polls it. Safe from every thread.
VX_HOT int vx_eventfd_signal(int descriptor);
/// Reads and clears an event counter; 0 when it was clear.
VX_HOT uint64_t vx_eventfd_drain(int descriptor);

/// Moves the calling thread into the network namespace behind `descriptor`.
int vx_enter_network_namespace(int descriptor);

/// Sleeps; for the control side, which may.
void vx_sleep_microseconds(unsigned microseconds);
