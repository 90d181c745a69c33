/* Caches: hit ratios under independent requests, expiry, stampedes. */
#include "tests/validation/cases.h"

#define HITS(id, what, expected, tolerance)                                                        \
    {                                                                                              \
        id, what, "cache", NULL, "hit_ratio", "ratio", expected, ABSOLUTE, tolerance, 0            \
    }
#define KING "King 1971; Gelenbe 1973: Markov chain over what is kept"
#define CHE                                                                                        \
    "Che, Tung, Wang 2002: capacity = sum of 1 - exp(-rate T); FIFO: of rate T / (1 + rate T)"

const struct family cache_families[] = {
    {"LRU with room for 4 of 12",
     "memory.yaml",
     {NULL},
     KING,
     .replications = 4,
     .rows = {HITS("C02", "hits of LRU, room for 4 of 12", 0.52945948, 0.002)}},
    {"FIFO with room for 4 of 12",
     "memory.yaml",
     {"vars.eviction=fifo"},
     KING,
     .replications = 4,
     .rows = {HITS("C02", "hits of FIFO, room for 4 of 12", 0.49479021, 0.002)}},
    {"LRU with room for 100 of 100,000",
     "memory.yaml",
     {"vars.keys=zipf(0.8 100k)", "vars.room=100"},
     CHE,
     .replications = 4,
     .rows = {HITS("C03", "hits of LRU, room for 100 of 100,000", 0.067788767, 0.004)}},
    {"LRU with room for 1000 of 100,000",
     "memory.yaml",
     {"vars.keys=zipf(0.8 100k)", "vars.room=1k"},
     CHE,
     .replications = 4,
     .rows = {HITS("C03", "hits of LRU, room for 1000 of 100,000", 0.20433376, 0.004)}},
    {"FIFO with room for 1000 of 100,000",
     "memory.yaml",
     {"vars.keys=zipf(0.8 100k)", "vars.room=1k", "vars.eviction=fifo"},
     CHE,
     .replications = 4,
     .rows = {HITS("C03", "hits of FIFO, room for 1000 of 100,000", 0.17921241, 0.004)}},
    {"copies that expire after 10 s",
     "expiry.yaml",
     {NULL},
     "renewal: r T / (1 + r T); of the hits e^-1 are behind a write",
     .replications = 4,
     .rows = {HITS("C13", "hits, 5/s, expiry after 10 s", 0.98039216, 0.004),
              {"C13", "stale hits", "cache", NULL, "stale_hits", "ratio", 0.36787944, ABSOLUTE,
               0.005, 0}}},
    {"a stampede of 20",
     "expiry.yaml",
     {"vars.reads=100/s", "vars.writes=0.001/s", "vars.fetch=200ms", "run.duration=30000s"},
     "1 + 100/s x 0.2 s miss, and the last of them to be filled expires last: 21 of 1040",
     .replications = 2,
     .rows = {{"C14", "misses without coalescing", "cache", NULL, "hit_ratio", "ratio",
               1 - 0.020192308, ABSOLUTE, 0.0002, 0}}},
    {0},
};
