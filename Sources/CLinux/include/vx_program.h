#pragma once
// Programs that the kernel runs for each packet (eBPF). 0 (or the value) or -errno.
#include <stdint.h>

/// Loads a socket filter; its descriptor. An instruction is one word: operation, registers, offset
/// and constant from the lowest byte up, as struct bpf_insn lies in memory.
int vx_program_load(const uint64_t *_Nonnull instructions, uint32_t count);
/// What the program returns for a packet: 32 bits, or -errno. The kernel takes 14 bytes off first.
int64_t vx_program_run(int program, const void *_Nonnull packet, uint32_t byte_count);
/// Has `program` choose the queue of each frame that goes to the users of a tap: its result modulo
/// the number of queues.
int vx_tap_set_steering(int descriptor, int program);
