/* Key choosers: which key a request asks for. A chooser is read-only plain data once made, shared
 * by threads; tables live in the arena it was made with. The zeroed struct always chooses key 0.
 *
 * A chooser picks a rank 0..n-1, 0 the most popular; `shuffle` maps ranks to keys 0..n-1 by a
 * seeded bijection, `offset` adds to the result. Makers return false and set *why to a sentence for
 * the user when the parameters are impossible, and leave the chooser alone then. */
#ifndef ORRERY_KERNEL_KEYS_H
#define ORRERY_KERNEL_KEYS_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum keys_kind {
    KEYS_UNIFORM,
    KEYS_ALIAS,     /* zipf of up to KEYS_ALIAS_MAX keys */
    KEYS_INVERSION, /* zipf of more */
    KEYS_HOTSPOT,
    KEYS_SEQUENTIAL,
    KEYS_FRESH,
    KEYS_TRACE,
};

#define KEYS_ALIAS_MAX UINT64_C(10000000)
#define KEYS_MAX (UINT64_C(1) << 52)        /* most keys of a chooser */
#define KEYS_FRESH_BASE (UINT64_C(1) << 63) /* fresh keys lie above all others */

struct key_chooser {
    enum keys_kind kind;
    bool shuffled;
    uint64_t n;            /* number of ranks; 0 counts as 1 */
    uint64_t offset;       /* added to every key; of fresh: number of the first */
    const uint64_t *table; /* alias: 40 bits of threshold, 24 bits of alias; trace: keys */
    double s;              /* exponent of zipf */
    double weight_sum;     /* zipf: sum of k^-s over k = 1..n */
    double below_first, at_end, accept; /* inversion: the constants of its first step */
    uint64_t hot;                       /* hotspot: number of hot keys, 1..n-1 */
    double hot_share;                   /* hotspot: share of the requests they get */
    uint64_t multiply[4], add[4];       /* of the shuffle's rounds */
    uint64_t mask;
    int shift;
};

/* uniform(n): 1 <= n <= KEYS_MAX. */
bool keys_make_uniform(struct key_chooser *keys, uint64_t n, const char **why);

/* zipf(s n): rank k (from 1) in proportion to 1/k^s, 0 <= s <= 10. O(n) time and 8 n bytes up to
 * KEYS_ALIAS_MAX keys (alias table, one look per choice), O(1) beyond (rejection-inversion). */
bool keys_make_zipf(struct key_chooser *keys, struct arena *arena, double s, uint64_t n,
                    const char **why);

/* hotspot(`hot_keys` of n gets `hot_share`): both shares in 0..1; uniform inside both groups. */
bool keys_make_hotspot(struct key_chooser *keys, double hot_keys, uint64_t n, double hot_share,
                       const char **why);

/* sequential(n): 0, 1, .., n-1, 0, .. by the request's number. */
bool keys_make_sequential(struct key_chooser *keys, uint64_t n, const char **why);

/* fresh: KEYS_FRESH_BASE + first + the request's number. Who has several clients gives each a
 * `first` of its own (or numbers that do not overlap). */
bool keys_make_fresh(struct key_chooser *keys, uint64_t first, const char **why);

/* trace: the recorded keys in turn, from the first again after the last; copies them. */
bool keys_make_trace(struct key_chooser *keys, struct arena *arena, const uint64_t *recorded,
                     size_t count, const char **why);

/* shuffle=N for a chooser with ranks (not fresh, not trace): every N is another ranking. */
bool keys_shuffle(struct key_chooser *keys, uint64_t shuffle, const char **why);

/* offset=N: keys N.. instead of 0.. */
bool keys_offset(struct key_chooser *keys, uint64_t offset, const char **why);

/* The key of a request with this draw and this number (from 0) at its client. */
uint64_t keys_choose(const struct key_chooser *keys, uint64_t draw, uint64_t number);

/* The key at `rank` < n; for choosers with ranks. */
uint64_t keys_at(const struct key_chooser *keys, uint64_t rank);

/* Probability of `rank` (0 the most popular); for the kinds that draw: uniform, zipf, hotspot. */
double keys_probability(const struct key_chooser *keys, uint64_t rank);

#endif
