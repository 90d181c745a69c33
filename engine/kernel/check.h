/* Checks of our own invariants, always on. A failed CHECK is a bug of ours, never the user's: it
 * prints where it stands and the simulated time, and ends the process with exit code 70. */
#ifndef ORRERY_KERNEL_CHECK_H
#define ORRERY_KERNEL_CHECK_H

#include <stdint.h>

/* Marks a function that hardly ever runs, so that its callers spend nothing on it. */
#define SELDOM __attribute__((noinline, cold))
/* Marks one that stands apart, so that its callers do not save registers for it. */
#define APART __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (UNLIKELY(!(condition)))                                                                \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

/* Names the clock whose time a failed check of this thread prints; NULL for none. The pointer must
 * stay valid until it is replaced. */
void check_clock(const int64_t *now_ns);

/* Prints "orrery: internal error: FILE:LINE: CONDITION (simulated time T s)" and exits with 70. */
_Noreturn void check_failed(const char *file, int line, const char *condition);

/* The machine's errors: prints "orrery: MESSAGE" and exits with 3. For memory that cannot be had;
 * files report their errors to the caller instead. */
_Noreturn void check_machine(const char *message);

#endif
