#pragma once
// liburing.h defines _XOPEN_SOURCE, which hides fd_set unless <features.h> came first; and it
// brings its own io_uring.h, which clashes with the kernel's unless the kernel's came first.
#include <features.h>
#include <linux/io_uring.h>
#include <liburing.h>
