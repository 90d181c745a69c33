/* Caches that were emptied before a store that answers only so many questions a second. */
#include "tests/validation/cases.h"

/* The published figures have two digits and do not rise with the fills at first: they are of few
 * runs. Two seconds after the flush ten to two hundred copies decide, whose luck moves the hit
 * ratio by some 0.05; after 26 s it is settled. The hit ratio before is that of Zipf without end.
 */
#define BROOKER "Brooker: simulation of an LRU cache of 1000 that was flushed"
#define COLD(backend, early, late)                                                                 \
    {"cold for 2 s, " backend " fills",                                                            \
     "cold.yaml",                                                                                  \
     {"vars.backend=" backend},                                                                    \
     BROOKER,                                                                                      \
     .replications = 40,                                                                           \
     .rows = {{"C18", "hits after 2 s, " backend " fills", "cache", NULL, "hit_ratio", "ratio",    \
               early, ABSOLUTE, 0.1, 0}}},                                                         \
    {                                                                                              \
        "cold for 26 s, " backend " fills", "cold.yaml",                                           \
            {"vars.backend=" backend, "run.warmup=26s", "run.duration=27s"}, BROOKER,              \
            .replications = 20, .rows = {                                                          \
                {"C18", "hits after 26 s, " backend " fills", "cache", NULL, "hit_ratio", "ratio", \
                 late, ABSOLUTE, 0.03, 0}                                                          \
            }                                                                                      \
    }

const struct family cold_families[] = {
    {"LRU with room for 1000, Zipf 1.3",
     "memory.yaml",
     {"vars.keys=zipf(1.3 1000G)", "vars.room=1k", "run.duration=150s"},
     BROOKER,
     .replications = 2,
     .rows = {{"C18", "hits of LRU, room for 1000, Zipf 1.3", "cache", NULL, "hit_ratio", "ratio",
               0.85, ABSOLUTE, 0.015, 0}}},
    COLD("5/s", 0.52, 0.73),
    COLD("10/s", 0.47, 0.78),
    COLD("20/s", 0.59, 0.81),
    COLD("100/s", 0.77, 0.84),
    {0},
};
