/* Linearizability of one register, told while the history goes on (Gibbons and Korach 1997,
 * "Testing shared memories"; Golab, Li and Shah 2011, "Analyzing consistency properties for fun and
 * profit"). Every write has a value of its own. The write of a value and all reads that returned it
 * are its cluster, with f, the earliest completion in it, and s, the latest invocation. What has
 * completed before something else begins comes first, so that cluster A must come before B where
 * f(A) < s(B). The history is linearizable if and only if no two clusters must come before one
 * another: never f(A) < s(B) and f(B) < s(A).
 *
 * Read-modify-writes chain: a version that was made on another one follows it, with nothing
 * between. The clusters of a chain are one block with the least f and the largest s of all; inside
 * of it nobody may be seen any more once a later one has completed, and no version has two that
 * were made on it.
 *
 * Instants are numbers that rise with every event (never times, which can be equal), from 1 on;
 * 0 is before everything. A write of unknown outcome never completes, and counts from the moment
 * that something certain has seen it, itself or through others made on it.
 *
 *     struct zones zones = {0};
 *     zone = zone_new(NULL, ++now);                         a write is invoked
 *     ok = zones_completed(&zones, zone, ++now);            it is acknowledged
 *     ok = zones_read(&zones, zone, begin, ++now);          a read has returned it
 *     zones_forget(&zones, zone);                           nobody can return it any more
 *     zones_settle(&zones, oldest);                         no read began before `oldest`
 *
 * Only completions find a violation; what violates is left out and counts as not having been, so
 * that the number of violations is a greedy one: 0 if and only if the history is linearizable.
 * Cost: O(log n) in the number of blocks kept. Memory: versions that can still be returned, and
 * blocks completed since the oldest of them or since the oldest read under way. */
#ifndef ORRERY_OUTPUT_ZONES_H
#define ORRERY_OUTPUT_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#define ZONE_NEVER UINT64_MAX

/* The cluster of one version. */
struct zone {
    uint64_t f, s;
    struct zone *parent, *child; /* in its chain; child: the certain one that was made on it */
    uint64_t gone_f;             /* least f of those behind it in its chain that are forgotten */
    uint64_t block;              /* 1 + its number; 0: nothing certain has seen it */
    uint32_t waits;              /* versions made on it that nothing certain has seen */
    bool forgotten;              /* gone as soon as nothing waits */
    bool out; /* it violated: left out; reads of it violate too, and what is made on it is blind */
};

struct zone_block {
    uint64_t f, s;
    uint32_t members; /* zones of it that are kept */
};

/* One register. */
struct zones {
    struct zone_block *blocks;  /* ascending by f; owned */
    uint64_t *tree;             /* of the largest s: leaf i at room + i; owned */
    uint64_t base;              /* number of blocks[0] */
    uint32_t head, count, room; /* blocks[head .. count) are kept */
    uint64_t past;              /* the largest s of what was before them */
};

void zones_free(struct zones *zones);

/* The version that is there before any write: completed at 0. The first of all. */
struct zone *zones_initial(struct zones *zones);

/* A write is invoked at `now`; `base`: the version it was made on, if it has read it, or NULL. It
 * lives until zones_forget. */
struct zone *zone_new(struct zone *base, uint64_t now);

/* The write is acknowledged. False: it violates (only read-modify-writes can). */
bool zones_completed(struct zones *zones, struct zone *zone, uint64_t now);

/* A read that began at `begin` has returned the version at `now`. False: it violates. */
bool zones_read(struct zones *zones, struct zone *zone, uint64_t begin, uint64_t now);

/* Nobody will return this version or make one on it. Also of writes that certainly failed. */
void zones_forget(struct zones *zones, struct zone *zone);

/* Every read under way, and all to come, began at `oldest` or later. */
void zones_settle(struct zones *zones, uint64_t oldest);

#endif
