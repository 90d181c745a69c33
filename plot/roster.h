/* Names by number: the first name ever seen is 0, the next 1, and so on. Looking one up costs one
 * hash, whatever their number; order is that of first appearance, never that of the hash. */
#ifndef ORRERY_PLOT_ROSTER_H
#define ORRERY_PLOT_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/kernel/arena.h"

#define ROSTER_UNKNOWN ((size_t)-1)

struct roster {
    struct arena *arena; /* owns the names and both tables; set by the caller */
    const char **names;
    size_t count, capacity;
    uint32_t *slots;   /* number + 1 of a name, 0 for none */
    size_t slot_count; /* a power of two, at least twice `capacity` */
};

/* The number of the name, which is copied where it is new. */
size_t roster_add(struct roster *roster, const char *name);

/* The number of the name, ROSTER_UNKNOWN where it was never added. */
size_t roster_find(const struct roster *roster, const char *name);

#endif
