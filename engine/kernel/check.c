#include "engine/kernel/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The one thread-local of the kernel: a diagnostic aid that no result depends on. */
static _Thread_local const int64_t *clock_of_thread;

void check_clock(const int64_t *now_ns)
{
    clock_of_thread = now_ns;
}

void check_failed(const char *file, int line, const char *condition)
{
    if (clock_of_thread)
        fprintf(stderr,
                "orrery: internal error: %s:%d: %s (simulated time %" PRId64 ".%09" PRId64 " s)\n",
                file, line, condition, *clock_of_thread / 1000000000,
                *clock_of_thread % 1000000000);
    else
        fprintf(stderr, "orrery: internal error: %s:%d: %s\n", file, line, condition);
    fprintf(stderr, "This is a bug of Orrery, not of your scenario; please report it.\n");
    fflush(stderr);
    _exit(70);
}

void check_machine(const char *message)
{
    fprintf(stderr, "orrery: %s\n", message);
    fflush(stderr);
    _exit(3);
}
