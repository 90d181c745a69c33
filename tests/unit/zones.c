/* The zones of a register against brute force: every order of the operations is tried. */
#include "output/zones.h"

#include "engine/kernel/random.h"
#include "tests/suite.h"

#include <string.h>

enum { MOST = 8, NEVER = 1000 };

struct op {
    uint32_t begin, end; /* end NEVER: its outcome is unknown; only writes */
    uint32_t made;       /* of a write: when it took effect somewhere; NEVER: nowhere */
    bool write;
    int value; /* of a read: the write (index) it returned, -1: the initial value */
    int base;  /* of a read-modify-write: what it was made on; -2: a blind write */
};

struct history {
    struct op ops[MOST];
    int count;
    uint64_t random;
};

static uint32_t below(struct history *h, uint32_t n)
{
    h->random = random_mix(h->random + 1);
    return (uint32_t)(h->random % n);
}

/* ---- brute force ---- */

/* Whether what is left (bits) can be put in some order behind a register that holds `value`. */
static bool fits(const struct history *h, uint32_t left, int value)
{
    bool over = true;
    for (int i = 0; i < h->count; i++)
        over = over && (!(left >> i & 1) || h->ops[i].end == NEVER);
    if (over)
        return true;
    for (int i = 0; i < h->count; i++) {
        const struct op *o = &h->ops[i];
        bool first = left >> i & 1;
        for (int k = 0; k < h->count; k++)
            first = first && !(left >> k & 1 && h->ops[k].end < o->begin);
        if (!first || (!o->write && o->value != value) ||
            (o->write && o->base != -2 && o->base != value))
            continue;
        if (fits(h, left & ~(1u << i), o->write ? i : value))
            return true;
    }
    return false;
}

/* ---- random histories ---- */

/* What has been made by now, -1 always; mostly something recent. */
static int something_made(struct history *h, int begun)
{
    int seen = -1;
    for (int tries = 0; tries < 3; tries++) {
        int i = (int)below(h, (uint32_t)begun + 1) - 1;
        if (i > seen && h->ops[i].write && h->ops[i].made != NEVER)
            seen = i;
    }
    return seen;
}

/* One thing an instant: a begin, an end, or a write that takes effect, made on something or blind.
 * A read returns something that has been made. */
static void make(struct history *h, uint64_t seed)
{
    int open[MOST], opened = 0, begun = 0;
    h->random = seed * 2 + 1;
    h->count = 2 + (int)below(h, MOST - 1);
    uint32_t reads = 1 + below(h, 9), updates = below(h, 3), width = 1 + below(h, 4);
    for (uint32_t now = 1; begun < h->count || opened; now++) {
        bool begins = begun < h->count && (!opened || ((uint32_t)opened < width && below(h, 2)));
        if (begins) {
            h->ops[begun] = (struct op){.begin = now,
                                        .end = NEVER,
                                        .made = NEVER,
                                        .write = below(h, 10) >= reads,
                                        .value = -2,
                                        .base = -2};
            open[opened++] = begun++;
            continue;
        }
        int k = (int)below(h, (uint32_t)opened);
        struct op *o = &h->ops[open[k]];
        bool lost = o->write && !below(h, 6); /* nobody ever learns whether it took effect */
        if (o->write && o->made == NEVER && !lost) {
            o->base = below(h, 3) < updates ? something_made(h, begun) : -2;
            o->made = now;
            continue;
        }
        if (!o->write)
            o->value = something_made(h, begun);
        if (!lost)
            o->end = now;
        open[k] = open[--opened];
    }
}

/* ---- the history as it is told ---- */

/* Whether something after `now` still concerns this version. */
static bool wanted(const struct history *h, int version, uint32_t now)
{
    for (int i = 0; i < h->count; i++) {
        const struct op *o = &h->ops[i];
        bool ends = o->end != NEVER && o->end > now;
        if ((ends && (i == version || o->value == version)) ||
            (o->made != NEVER && o->made > now && o->base == version))
            return true;
    }
    return false;
}

static uint32_t oldest(const struct history *h, uint32_t now)
{
    uint32_t least = now;
    for (int i = 0; i < h->count; i++)
        if (h->ops[i].end != NEVER && h->ops[i].end > now && h->ops[i].begin < least)
            least = h->ops[i].begin;
    return least;
}

static struct zone *zone_at(struct zone *const *of, int version)
{
    return of[version + 1];
}

/* The number of violations; `forgets`: versions go as soon as nobody can return them. */
static int tell(const struct history *h, bool forgets, uint32_t *kept)
{
    struct zones zones = {0};
    struct zone *of[MOST + 1] = {zones_initial(&zones)};
    int violations = 0;
    *kept = 0;
    for (uint32_t now = 1; now <= 3u * MOST; now++) {
        for (int i = 0; i < h->count; i++) {
            const struct op *o = &h->ops[i];
            if (o->made == now)
                of[i + 1] = zone_new(o->base >= -1 ? zone_at(of, o->base) : NULL, o->begin);
            if (o->end != now)
                continue;
            if (o->write)
                violations += !zones_completed(&zones, of[i + 1], now);
            else
                violations += !zones_read(&zones, zone_at(of, o->value), o->begin, now);
        }
        for (int v = -1; forgets && v < h->count; v++)
            if (of[v + 1] && !wanted(h, v, now)) {
                zones_forget(&zones, of[v + 1]);
                of[v + 1] = NULL;
            }
        zones_settle(&zones, oldest(h, now));
        *kept = zones.count - zones.head;
    }
    for (int v = -1; v < h->count; v++)
        if (of[v + 1])
            zones_forget(&zones, of[v + 1]);
    zones_free(&zones);
    return violations;
}

static void zones_agree_with_brute_force(void)
{
    enum { HISTORIES = 1000000 };
    uint32_t good = 0, wrong = 0, differ = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct history h = {0};
        uint32_t kept;
        make(&h, seed);
        bool linearizable = fits(&h, (1u << h.count) - 1, -1);
        int all = tell(&h, false, &kept), few = tell(&h, true, &kept);
        good += linearizable;
        if ((linearizable != !all || !all != !few) && wrong++ < 3)
            printf("history %llu: %s, %d %d violations\n", (unsigned long long)seed,
                   linearizable ? "linearizable" : "not linearizable", all, few);
        if ((linearizable != !all || !all != !few) && wrong < 4)
            for (int i = 0; i < h.count; i++)
                printf("   %d %s [%u %u] value %d base %d\n", i, h.ops[i].write ? "write" : "read",
                       h.ops[i].begin, h.ops[i].end, h.ops[i].value, h.ops[i].base);
        differ += !all != !few;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(differ, 0);
    CU_ASSERT_TRUE(good > HISTORIES / 5 && good < HISTORIES - HISTORIES / 5);
}

/* ---- by hand ---- */

static void a_stale_read_violates(void)
{
    struct zones z = {0};
    struct zone *none = zones_initial(&z), *a = zone_new(NULL, 1), *b;
    CU_ASSERT_TRUE(zones_read(&z, none, 2, 3)); /* before the write, which is under way */
    CU_ASSERT_TRUE(zones_read(&z, a, 4, 5));
    CU_ASSERT_FALSE(zones_read(&z, none, 6, 7)); /* and after it: new-old inversion */
    CU_ASSERT_TRUE(zones_completed(&z, a, 8));
    b = zone_new(NULL, 9);
    CU_ASSERT_TRUE(zones_completed(&z, b, 10));
    CU_ASSERT_FALSE(zones_read(&z, a, 11, 12));
    CU_ASSERT_TRUE(zones_read(&z, b, 11, 13));
    zones_forget(&z, none);
    zones_forget(&z, a);
    zones_forget(&z, b);
    zones_free(&z);
}

static void two_updates_of_one_version_violate(void)
{
    struct zones z = {0};
    struct zone *none = zones_initial(&z);
    struct zone *a = zone_new(none, 1), *b = zone_new(none, 2), *c = zone_new(a, 5);
    CU_ASSERT_TRUE(zones_completed(&z, a, 3));
    CU_ASSERT_FALSE(zones_completed(&z, b, 4));
    CU_ASSERT_TRUE(zones_completed(&z, c, 6));
    CU_ASSERT_FALSE(zones_read(&z, a, 7, 8));
    zones_forget(&z, c);
    CU_ASSERT_FALSE(zones_read(&z, a, 7, 9)); /* also once the later one is forgotten */
    zones_forget(&z, none);
    zones_forget(&z, a);
    zones_forget(&z, b);
    zones_free(&z);
}

/* Writes one after another leave nothing behind. */
static void memory_follows_what_is_kept(void)
{
    struct zones z = {0};
    struct zone *last = zones_initial(&z);
    for (uint64_t now = 1; now < 400000; now += 4) {
        struct zone *next = zone_new(now % 3 ? NULL : last, now);
        CU_ASSERT_TRUE_FATAL(zones_completed(&z, next, now + 1));
        CU_ASSERT_TRUE_FATAL(zones_read(&z, next, now + 2, now + 3));
        zones_forget(&z, last);
        zones_settle(&z, now + 4);
        last = next;
    }
    CU_ASSERT_TRUE(z.room <= 8);
    zones_forget(&z, last);
    zones_free(&z);
}

SUITE("zones", TEST(zones_agree_with_brute_force), TEST(a_stale_read_violates),
      TEST(two_updates_of_one_version_violate), TEST(memory_follows_what_is_kept))
