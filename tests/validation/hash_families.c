/* Balancers and hashing: L09 to L15, a published web tier, load information that is old. */
#include "engine/kernel/arithmetic.h"
#include "engine/kernel/random.h"
#include "models/parts/jump.h"
#include "models/parts/maglev.h"
#include "models/parts/rendezvous.h"
#include "models/parts/ring.h"
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWNERS_MAX = 1000, KEYS = 1000000 };

static void ids_make(uint64_t *ids, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++)
        ids[i] = random_mix(seed ^ (uint64_t)(i + 1) << 40);
}

/* ---- shares of a ring ---- */

/* Arc of every owner of a ring, over the mean. */
static void ring_shares(struct arena *arena, uint32_t owners, uint64_t vnodes, uint64_t seed,
                        double *shares)
{
    uint64_t *ids = arena_array(arena, owners, uint64_t);
    double *ones = arena_array(arena, owners, double);
    ids_make(ids, owners, seed);
    for (uint32_t i = 0; i < owners; i++) {
        ones[i] = 1;
        shares[i] = 0;
    }
    struct ring ring = ring_new(arena, ids, ones, owners, vnodes);
    uint64_t before = ring.points[ring.count - 1].at;
    for (uint32_t i = 0; i < ring.count; i++) {
        shares[ring.points[i].owner] += (double)(ring.points[i].at - before) * 0x1p-64 * owners;
        before = ring.points[i].at;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Rows: cv, 0.5 % and 99.5 % quantiles for 1, 10, 100, 1000 points each, means over seeds; then the
 * cv again, against the published table. */
static void ring_imbalance(const struct family *family, uint32_t jobs, double *values,
                           uint64_t *events)
{
    static const uint32_t vnodes[] = {1, 10, 100, 1000}, rings[] = {400, 100, 40, 10};
    static double shares[OWNERS_MAX];
    (void)jobs;
    for (size_t v = 0; v < 4; v++)
        for (uint32_t r = 0; r < rings[v]; r++) {
            struct arena arena = {0};
            double square = 0;
            ring_shares(&arena, OWNERS_MAX, vnodes[v], family_seed(family, 1000 * v + r), shares);
            for (uint32_t i = 0; i < OWNERS_MAX; i++)
                square += (shares[i] - 1) * (shares[i] - 1) / OWNERS_MAX;
            qsort(shares, OWNERS_MAX, sizeof *shares, by_size);
            values[3 * v] += sqrt(square) / rings[v];
            values[3 * v + 1] += (shares[4] + shares[5]) / 2 / rings[v];
            values[3 * v + 2] += (shares[994] + shares[995]) / 2 / rings[v];
            *events += OWNERS_MAX * vnodes[v];
            arena_free(&arena);
        }
    for (size_t v = 0; v < 4; v++)
        values[12 + v] = values[3 * v];
}

/* Rows: largest share of 10 and of 100 owners with one point each, smallest of 10. */
static void hottest_node(const struct family *family, uint32_t jobs, double *values,
                         uint64_t *events)
{
    enum { RINGS = 20000 };
    struct arena arena = {0};
    static double shares[OWNERS_MAX];
    (void)jobs;
    for (uint32_t r = 0; r < RINGS; r++)
        for (uint32_t n = 10; n <= 100; n += 90) {
            ring_shares(&arena, n, 1, family_seed(family, r), shares);
            qsort(shares, n, sizeof *shares, by_size);
            values[n == 10 ? 0 : 1] += shares[n - 1] / RINGS;
            values[2] += n == 10 ? shares[0] / RINGS : 0;
            *events += n;
            arena_reset(&arena);
        }
    arena_free(&arena);
}

/* ---- keys that move ---- */

static uint64_t key_hash(uint64_t seed, uint32_t key)
{
    return random_mix(seed ^ (uint64_t)key << 20);
}

static double modulo_moved(uint64_t seed, uint32_t from, uint32_t to)
{
    uint32_t moved = 0;
    for (uint32_t k = 0; k < KEYS; k++)
        moved += key_hash(seed, k) % from != key_hash(seed, k) % to;
    return (double)moved / KEYS;
}

/* `between`: keys that moved from one who stays to another who was there before. */
static double jump_moved(uint64_t seed, uint32_t from, uint32_t to, double *between)
{
    uint32_t moved = 0;
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t before = jump_find(key_hash(seed, k), from),
                 after = jump_find(key_hash(seed, k), to);
        moved += before != after;
        *between += before != after && after < from;
    }
    return (double)moved / KEYS;
}

static double rendezvous_moved(uint64_t seed, double *between)
{
    uint64_t ids[11];
    uint32_t moved = 0;
    ids_make(ids, 11, seed);
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t before = rendezvous_find(ids, NULL, 10, key_hash(seed, k));
        uint32_t after = rendezvous_find(ids, NULL, 11, key_hash(seed, k));
        moved += before != after;
        *between += before != after && after < 10;
    }
    return (double)moved / KEYS;
}

/* From `from` to `to` owners, one more or one less; 200 points each. */
static double ring_moved(uint64_t seed, uint32_t from, uint32_t to, double *between)
{
    enum { SAMPLE = 50000 };
    struct arena arena = {0};
    uint64_t ids[11];
    double ones[11];
    bool present[11];
    uint32_t larger = from > to ? from : to, moved = 0;
    ids_make(ids, larger, seed);
    for (uint32_t i = 0; i < larger; i++) {
        ones[i] = 1;
        present[i] = i + 1 < larger;
    }
    struct ring all = ring_new(&arena, ids, ones, larger, 200), some = ring_room(&arena, &all);
    ring_keep(&some, &all, present);
    for (uint32_t k = 0; k < SAMPLE; k++) {
        uint32_t of_all = all.points[ring_find(&all, key_hash(seed, k))].owner;
        uint32_t of_some = some.points[ring_find(&some, key_hash(seed, k))].owner;
        moved += of_all != of_some;
        *between += of_all != of_some && of_all + 1 < larger;
    }
    arena_free(&arena);
    return (double)moved / SAMPLE;
}

static void keys_moved(const struct family *family, uint32_t jobs, double *values, uint64_t *events)
{
    uint64_t seed = family_seed(family, 0);
    double between = 0;
    (void)jobs;
    values[0] = modulo_moved(seed, 10, 11);
    values[1] = modulo_moved(seed, 10, 12);
    values[2] = modulo_moved(seed, 4, 5);
    values[3] = modulo_moved(seed, 8, 16);
    values[4] = jump_moved(seed, 10, 11, &between);
    values[5] = jump_moved(seed, 10, 12, &between);
    values[6] = rendezvous_moved(seed, &between);
    for (uint64_t r = 1; r <= 20; r++) {
        values[7] += ring_moved(family_seed(family, r), 10, 11, &between) / 20;
        values[8] += ring_moved(family_seed(family, r + 20), 10, 9, &between) / 20;
    }
    values[9] = between;
    *events += 7 * KEYS;
}

/* ---- vectors, tables, bounds ---- */

static void jump_vectors(const struct family *family, uint32_t jobs, double *values,
                         uint64_t *events)
{
    static const uint64_t hashes[] = {1, 42, 3735883980, 256, 10863919174838991, 123456};
    static const uint32_t buckets[] = {1, 57, 666, 1024, 11, 1000};
    (void)family, (void)jobs, (void)events;
    for (size_t i = 0; i < 6; i++)
        values[i] = jump_find(hashes[i], buckets[i]);
}

static void maglev_shares(const struct family *family, uint32_t jobs, double *values,
                          uint64_t *events)
{
    struct arena arena = {0};
    uint64_t ids[10];
    double ones[10];
    uint32_t counts[10] = {0};
    (void)jobs;
    ids_make(ids, 10, family_seed(family, 0));
    for (int i = 0; i < 10; i++)
        ones[i] = 1;
    struct maglev maglev = maglev_room(&arena, 10);
    maglev_fill(&maglev, ids, ones, 10);
    for (uint32_t s = 0; s < MAGLEV_SLOTS; s++)
        counts[maglev.slots[s]]++;
    values[0] = INFINITY;
    for (int i = 0; i < 10; i++) {
        values[0] = fmin(values[0], counts[i]);
        values[1] = fmax(values[1], counts[i]);
    }
    *events += MAGLEV_SLOTS;
    arena_free(&arena);
}

/* Nobody leaves: arrivals at which a backend came to more than ceil(1.25 x all / 20), and the most
 * of one in the end beyond 6,250. */
struct bounded {
    uint64_t inside[20], all, above;
};

static void bounded_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct bounded *b = context;
    (void)call;
    if (strcmp(at->node_name, "servers") != 0 || b->all == 100000)
        return; /* the balancer's own, or of the cool-down */
    b->all++;
    b->above += ++b->inside[at->number - 1] > (5 * b->all + 79) / 80;
}

static void bounded_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct bounded *b = context;
    uint64_t most = 0;
    (void)result;
    for (int i = 0; i < 20; i++)
        most = b->inside[i] > most ? b->inside[i] : most;
    rows[0] = (struct quotient){(double)b->above, 1};
    rows[1] = (struct quotient){most > 6250 ? (double)most : 6250, 1};
    rows[2] = (struct quotient){(double)b->all, 1};
}
static const struct measure bounded = {
    .size = sizeof(struct bounded), .arrive = bounded_arrive, .end = bounded_end};

/* Rows: share of the shard that holds key 1, share of that key, sum of the squares of shares. */
static void hot_key(const struct family *family, uint32_t jobs, double *values, uint64_t *events)
{
    enum { ZIPF_KEYS = 100000, SHARDS = 10, SEEDS = 2000 };
    static double share[ZIPF_KEYS];
    double sum = 0;
    (void)jobs;
    for (uint32_t k = 0; k < ZIPF_KEYS; k++)
        sum += share[k] = 1.0 / (k + 1);
    values[1] = share[0] / sum;
    for (uint64_t r = 0; r < SEEDS; r++) {
        double shards[SHARDS] = {0};
        uint64_t seed = family_seed(family, r);
        for (uint32_t k = 0; k < ZIPF_KEYS; k++)
            shards[key_hash(seed, k) % SHARDS] += share[k] / sum;
        values[0] += shards[key_hash(seed, 0) % SHARDS] / SEEDS;
        for (int i = 0; i < SHARDS; i++)
            values[2] += shards[i] * shards[i] / SEEDS;
    }
    *events += (uint64_t)SEEDS * ZIPF_KEYS;
}

/* The same through a whole run: arrivals at the server that has key 0, the most popular one. */
struct hot {
    uint64_t at[10], home, all;
};

static void hot_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct hot *h = context;
    if (strcmp(at->node_name, "servers") != 0)
        return;
    h->at[at->number - 1]++;
    h->all++;
    if (!call->key)
        h->home = at->number - 1;
}

static void hot_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct hot *h = context;
    (void)result;
    rows[0] = (struct quotient){(double)h->at[h->home], (double)h->all};
}
static const struct measure hot = {
    .size = sizeof(struct hot), .arrive = hot_arrive, .end = hot_end};

/* ---- old load information ---- */

/* Who answers fastest at each age: 1 one at random, 2 and 3 the best of so many, 10 the best of
 * all. Rows: ages 1, 10, 40, 70, 100 s; then whether the best of all is worse than random at 40 s
 * and beyond, and whether three are better than two at 1 s. */
static void stale_leaders(const struct family *family, uint32_t jobs, double *values,
                          uint64_t *events)
{
    static const int ages[] = {1, 10, 40, 70, 100}, choices[] = {1, 2, 3, 10};
    double means[5][4];
    char path[128], age[64], choice[64];
    const char *sets[] = {age, choice, NULL};
    for (int a = 0; a < 5; a++)
        for (int c = 0; c < 4; c++) {
            struct quotient q = {0, 0};
            snprintf(age, sizeof age, "vars.age=%ds", ages[a]);
            snprintf(choice, sizeof choice, "vars.choices=%d", choices[c]);
            struct play_request request = {
                family_path(family, path), sets, family_seed(family, 0), 10, jobs, NULL};
            struct played *p = play(&request);
            for (uint32_t r = 0; r < p->replications; r++) {
                const struct result_cell *cell =
                    played_cell(p->results[r], "users", NULL, "latency");
                q.numerator += (double)cell->numerator;
                q.denominator += (double)cell->denominator;
            }
            means[a][c] = q.numerator / q.denominator / 1e6;
            *events += p->events;
            played_free(p);
        }
    for (int a = 0; a < 5; a++) {
        int best = 0;
        for (int c = 1; c < 4; c++)
            best = means[a][c] < means[a][best] ? c : best;
        values[a] = choices[best];
    }
    values[5] = means[2][3] > means[2][0] && means[3][3] > means[3][0] && means[4][3] > means[4][0];
    values[6] = means[0][2] < means[0][1];
    values[7] = means[0][0];
}

#define DIRECT(id, what, expected, type, tolerance)                                                \
    {                                                                                              \
        id, what, NULL, NULL, NULL, NULL, expected, type, tolerance, 0                             \
    }
#define EXACTLY(id, what, expected) DIRECT(id, what, expected, ABSOLUTE, 0)

#define RING "share ~ Beta(v, nv - v), cv = sqrt((n - 1)/(nv + 1)); Lamping, Veach 2014, table"
#define STALE "shape: Mitzenmacher 2000, Brooker 2012; one at random: Geo/D/1, 8 + 5.6/0.4 s"

const struct family hash_families[] = {
    {"two copies on four servers",
     "redundant.yaml",
     {NULL},
     "sum over i = 2..4 of 1/(n mu C(3,1)/C(i-1,1) - n lam); Gardner et al. 2017",
     .rate = 2.4,
     .requests = 2e6,
     .warmup = 200,
     .rows = {{"L09", "first of 2 copies, the other cancelled", "users", NULL, "latency", "mean",
               1006.9444, RELATIVE, 0.01, 3.18}}},
    {"shares of a ring",
     "balance.yaml",
     {NULL},
     RING,
     .special = ring_imbalance,
     .rows =
         {
             DIRECT("L10", "ring, 1 point each: cv", 0.9990005, RELATIVE, 0.02),
             DIRECT("L10", "ring, 1 point each: 0.5 %", 0.0050175468, ABSOLUTE, 0.002),
             DIRECT("L10", "ring, 1 point each: 99.5 %", 5.2895816, RELATIVE, 0.02),
             DIRECT("L10", "ring, 10 points each: cv", 0.31605381, RELATIVE, 0.02),
             DIRECT("L10", "ring, 10 points each: 0.5 %", 0.37182763, ABSOLUTE, 0.01),
             DIRECT("L10", "ring, 10 points each: 99.5 %", 1.9989425, RELATIVE, 0.02),
             DIRECT("L10", "ring, 100 points each: cv", 0.099949488, RELATIVE, 0.02),
             DIRECT("L10", "ring, 100 points each: 0.5 %", 0.76129968, ABSOLUTE, 0.01),
             DIRECT("L10", "ring, 100 points each: 99.5 %", 1.2761508, RELATIVE, 0.02),
             DIRECT("L10", "ring, 1000 points each: cv", 0.031606945, RELATIVE, 0.05),
             DIRECT("L10", "ring, 1000 points each: 0.5 %", 0.92046114, ABSOLUTE, 0.01),
             DIRECT("L10", "ring, 1000 points each: 99.5 %", 1.0832875, RELATIVE, 0.02),
             DIRECT("L10", "published, 1 point each", 0.997906, RELATIVE, 0.05),
             DIRECT("L10", "published, 10 points each", 0.315181, RELATIVE, 0.05),
             DIRECT("L10", "published, 100 points each", 0.0996996, RELATIVE, 0.05),
             DIRECT("L10", "published, 1000 points each", 0.0315723, RELATIVE, 0.05),
         }},
    {"hottest node of a ring",
     "balance.yaml",
     {NULL},
     "largest of n spacings H(n)/n, smallest 1/n^2",
     .special = hottest_node,
     .rows =
         {
             DIRECT("L11", "one point each: largest of 10 shares", 2.9289683, RELATIVE, 0.01),
             DIRECT("L11", "one point each: largest of 100 shares", 5.1873775, RELATIVE, 0.01),
             DIRECT("L11", "one point each: smallest of 10 shares", 0.1, RELATIVE, 0.05),
         }},
    {"keys that move",
     "balance.yaml",
     {NULL},
     "modulo: 1 - min/lcm; else the change alone; Lamping, Veach 2014",
     .special = keys_moved,
     .rows =
         {
             DIRECT("L12", "modulo, 10 to 11", 10.0 / 11, ABSOLUTE, 0.002),
             DIRECT("L12", "modulo, 10 to 12", 5.0 / 6, ABSOLUTE, 0.002),
             DIRECT("L12", "modulo, 4 to 5", 0.8, ABSOLUTE, 0.002),
             DIRECT("L12", "modulo, 8 to 16", 0.5, ABSOLUTE, 0.002),
             DIRECT("L12", "jump, 10 to 11", 1.0 / 11, ABSOLUTE, 0.002),
             DIRECT("L12", "jump, 10 to 12", 1.0 / 6, ABSOLUTE, 0.002),
             DIRECT("L12", "rendezvous, 10 to 11", 1.0 / 11, ABSOLUTE, 0.002),
             DIRECT("L12", "ring of 200 points each, 10 to 11", 1.0 / 11, RELATIVE, 0.1),
             DIRECT("L12", "ring of 200 points each, 10 to 9", 0.1, RELATIVE, 0.1),
             EXACTLY("L12", "keys that moved between two that stayed", 0),
         }},
    {"jump hash vectors",
     "balance.yaml",
     {NULL},
     "Lamping, Veach 2014, figure 1",
     .special = jump_vectors,
     .rows =
         {
             EXACTLY("L13", "jump(1, 1)", 0),
             EXACTLY("L13", "jump(42, 57)", 43),
             EXACTLY("L13", "jump(3735883980, 666)", 361),
             EXACTLY("L13", "jump(256, 1024)", 520),
             EXACTLY("L13", "jump(10863919174838991, 11)", 6),
             EXACTLY("L13", "jump(123456, 1000)", 984),
         }},
    {"slots of a Maglev table",
     "balance.yaml",
     {NULL},
     "turns: 65537 = 3 x 6553 + 7 x 6554; Eisenbud et al. 2016",
     .special = maglev_shares,
     .rows =
         {
             EXACTLY("L14", "Maglev, fewest slots of 10", 6553),
             EXACTLY("L14", "Maglev, most slots of 10", 6554),
         }},
    {"bounded load",
     "bounded.yaml",
     {NULL},
     "ceil((1 + e) m / n); Mirrokni, Thorup, Zadimoghaddam 2018",
     .replications = 1,
     .measure = &bounded,
     .rows =
         {
             EXACTLY("L14", "bounded load, arrivals above the bound", 0),
             EXACTLY("L14", "bounded load, the most of 1e5 on one of 20, or 6250", 6250),
             EXACTLY("L14", "bounded load, arrivals looked at", 100000),
         }},
    {"a hot key",
     "balance.yaml",
     {NULL},
     "p + (1 - p)/10; 1/10 + 9/10 of the sum of squares",
     .special = hot_key,
     .rows =
         {
             DIRECT("L15", "share of the hot shard of 10, Zipf 1 over 1e5", 0.17444079, RELATIVE,
                    0.02),
             DIRECT("L15", "share of the hot key", 0.082711986, RELATIVE, 1e-7),
             DIRECT("L15", "sum of squares of the shards' shares", 0.11012804, RELATIVE, 0.01),
         }},
    {"a hot key, played",
     "balance.yaml",
     {"nodes.users.keys=zipf(1 100k)", "nodes.servers.count=10", "nodes.balancer.policy=hash",
      "run.warmup=0s", "run.duration=30s"},
     "p + (1 - p)/10; over 600 runs each of its own hash, 4 se = 1.8 %",
     .replications = 600,
     .measure = &hot,
     .rows = {DIRECT("L15", "share of the server with the hot key", 0.17444079, RELATIVE, 0.03)}},
    {"hottest node of a ring, played",
     "balance.yaml",
     {"nodes.users.keys=uniform(1G)", "nodes.servers.count=10", "nodes.servers.time=0s",
      "nodes.balancer.policy=consistent_hash(vnodes=1)", "run.warmup=0s", "run.duration=100s"},
     "H(10); over 600 runs each of its own ring, 4 se = 5 %",
     .replications = 600,
     .rows = {{"L11", "imbalance over 10 servers, one point each", "servers", NULL, "imbalance",
               "mean", 2.9289683, RELATIVE, 0.05, 0}}},
    {"a web tier of two servers",
     "tier.yaml",
     {NULL},
     "published example of AsyncFlow: 400 users x 20/min, round robin",
     .rate = 133.333333,
     .requests = 4e5,
     .warmup = 5,
     .rows =
         {
             {"tier", "two servers: mean", "users", NULL, "latency", "mean",
              24.15, RELATIVE, 0.01, 0},
             {"tier", "two servers: p95", "users", NULL, "latency", "p95", 33.6, RELATIVE, 0.01, 0},
             {"tier", "two servers: p99", "users", NULL, "latency", "p99", 39.6, RELATIVE, 0.01, 0},
         }},
    {"a web tier split at random",
     "tier.yaml",
     {"nodes.balancer.policy=random"},
     "22 ms of legs and I/O, M/D/1: 2 + 0.2667/(2 x 0.8667) ms",
     .rate = 133.333333,
     .requests = 2e5,
     .warmup = 5,
     .rows = {{"tier", "two servers at random: mean", "users", NULL, "latency", "mean",
               24.153846, RELATIVE, 0.01, 0.213}}},
    {"old load information",
     "stale.yaml",
     {NULL},
     STALE,
     .special = stale_leaders,
     .rows =
         {
             EXACTLY("stale", "who leads at age 1 s: best of", 10),
             EXACTLY("stale", "who leads at age 10 s: best of", 2),
             EXACTLY("stale", "who leads at age 40 s: best of", 2),
             EXACTLY("stale", "who leads at age 70 s: best of", 1),
             EXACTLY("stale", "who leads at age 100 s: best of", 1),
             EXACTLY("stale", "best of all worse than random from 40 s on", 1),
             EXACTLY("stale", "best of three better than of two at 1 s", 1),
             DIRECT("stale", "one at random, requests 1 s apart", 22000, RELATIVE, 0.03),
         }},
    {0},
};
