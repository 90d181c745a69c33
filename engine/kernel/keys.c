#include "engine/kernel/keys.h"

#include "engine/kernel/arithmetic.h"
#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <string.h>

enum { ALIAS_BITS = 24 };
#define ALIAS_MASK ((UINT64_C(1) << ALIAS_BITS) - 1)
#define THRESHOLD_ONE (UINT64_C(1) << (64 - ALIAS_BITS))

static bool refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return false;
}

static bool count_ok(uint64_t n, const char **why)
{
    if (n < 1)
        return refuse(why, "there must be at least one key");
    if (n > KEYS_MAX)
        return refuse(why, "there are at most 2^52 keys");
    return true;
}

bool keys_make_uniform(struct key_chooser *keys, uint64_t n, const char **why)
{
    if (!count_ok(n, why))
        return false;
    *keys = (struct key_chooser){.kind = KEYS_UNIFORM, .n = n};
    return true;
}

/* ---- zipf ---- */

static double zipf_weight(double k, double s)
{
    if (s == 1)
        return 1.0 / k;
    return arithmetic_exp(-s * arithmetic_log(k));
}

/* The integral of x^-s over [1, x], continuous in s at 1. */
static double zipf_integral(double x, double s)
{
    double log_x = arithmetic_log(x), t = (1.0 - s) * log_x;
    if (t > -1e-8 && t < 1e-8)
        return log_x * (1.0 + 0.5 * t);
    return log_x * (arithmetic_expm1(t) / t);
}

static double zipf_integral_inverse(double y, double s)
{
    double t = (1.0 - s) * y;
    if (t < -1)
        t = -1; /* rounding only */
    if (t > -1e-8 && t < 1e-8)
        return arithmetic_exp(y * (1.0 - 0.5 * t));
    return arithmetic_exp(y * (arithmetic_log1p(t) / t));
}

/* Sum of k^-s over 1..n: term by term up to 10,000, Euler-Maclaurin (DLMF 2.10.1) beyond. */
static double zipf_weight_sum(double s, uint64_t n)
{
    uint64_t exact = n < 10000 ? n : 10000;
    double sum = 0.0;
    for (uint64_t k = exact; k >= 1; k--)
        sum += zipf_weight((double)k, s);
    if (exact == n)
        return sum;
    double m = (double)exact, end = (double)n;
    double at_m = zipf_weight(m, s), at_end = zipf_weight(end, s);
    return sum + (zipf_integral(end, s) - zipf_integral(m, s)) + 0.5 * (at_end - at_m) +
           s / 12.0 * (at_m / m - at_end / end);
}

static uint64_t alias_entry(double threshold, uint64_t alias)
{
    double scaled = threshold * (double)THRESHOLD_ONE + 0.5;
    uint64_t whole = scaled >= (double)THRESHOLD_ONE ? THRESHOLD_ONE - 1
                     : scaled > 0                    ? (uint64_t)scaled
                                                     : 0;
    return whole << ALIAS_BITS | alias;
}

/* Walker's alias table. The weights fall with the rank, so the cells that need filling up are the
 * ranks from some point on, and one walk from either side suffices: `donor` fills up one poor cell
 * after the other; when it has become poor itself the next rank fills it up. */
static const uint64_t *alias_table(struct arena *arena, const struct key_chooser *keys)
{
    uint64_t n = keys->n;
    double unit = (double)n / keys->weight_sum;
    uint64_t *table = arena_array(arena, n, uint64_t);
    uint64_t first_poor = n;
    for (uint64_t low = 0; low < first_poor;) { /* bisection: weights fall */
        uint64_t middle = low + (first_poor - low) / 2;
        if (zipf_weight((double)(middle + 1), keys->s) * unit < 1)
            first_poor = middle;
        else
            low = middle + 1;
    }
    uint64_t donor = 0;
    double has = unit; /* rank 0 has weight 1 */
    for (uint64_t poor = first_poor; poor < n && donor < first_poor; poor++) {
        double own = zipf_weight((double)(poor + 1), keys->s) * unit;
        table[poor] = alias_entry(own, donor);
        has -= 1.0 - own;
        while (has < 1 && donor + 1 < first_poor) {
            table[donor] = alias_entry(has, donor + 1);
            donor++;
            has += zipf_weight((double)(donor + 1), keys->s) * unit - 1.0;
        }
    }
    for (; donor < first_poor; donor++) /* what rounding left over: full cells */
        table[donor] = alias_entry(1.0, donor);
    return table;
}

bool keys_make_zipf(struct key_chooser *keys, struct arena *arena, double s, uint64_t n,
                    const char **why)
{
    if (!count_ok(n, why))
        return false;
    if (!(s >= 0 && s <= 10))
        return refuse(why, "the exponent of a zipf must lie between 0 and 10");
    if (s == 0 || n == 1)
        return keys_make_uniform(keys, n, why);
    struct key_chooser made = {.n = n, .s = s, .weight_sum = zipf_weight_sum(s, n)};
    if (n <= KEYS_ALIAS_MAX) {
        made.kind = KEYS_ALIAS;
        made.table = alias_table(arena, &made);
    } else {
        made.kind = KEYS_INVERSION;
        made.below_first = zipf_integral(1.5, s) - 1.0;
        made.at_end = zipf_integral((double)n + 0.5, s);
        made.accept = 2.0 - zipf_integral_inverse(zipf_integral(2.5, s) - zipf_weight(2.0, s), s);
    }
    *keys = made;
    return true;
}

static uint64_t choose_alias(const struct key_chooser *keys, uint64_t draw)
{
    unsigned __int128 product = (unsigned __int128)draw * keys->n;
    uint64_t cell = (uint64_t)(product >> 64);
    uint64_t entry = keys->table[cell];
    return (uint64_t)product >> ALIAS_BITS < entry >> ALIAS_BITS ? cell : entry & ALIAS_MASK;
}

/* W. Hoermann, G. Derflinger: Rejection-inversion to generate variates from monotone discrete
 * distributions, ACM TOMACS 6(3), 1996. */
static uint64_t choose_inversion(const struct key_chooser *keys, uint64_t draw)
{
    uint64_t state = draw;
    for (;;) {
        double u = keys->at_end + random_unit(draw) * (keys->below_first - keys->at_end);
        double x = zipf_integral_inverse(u, keys->s);
        double n = (double)keys->n;
        double k = x < 1 ? 1.0 : x > n ? n : (double)(uint64_t)(x + 0.5);
        if (k - x <= keys->accept || u >= zipf_integral(k + 0.5, keys->s) - zipf_weight(k, keys->s))
            return (uint64_t)k - 1;
        draw = random_split(&state);
    }
}

/* ---- the others ---- */

bool keys_make_hotspot(struct key_chooser *keys, double hot_keys, uint64_t n, double hot_share,
                       const char **why)
{
    if (!count_ok(n, why))
        return false;
    if (!(hot_keys > 0 && hot_keys < 1))
        return refuse(why, "the share of hot keys must lie between 0% and 100%");
    if (!(hot_share >= 0 && hot_share <= 1))
        return refuse(why, "the share of requests must lie between 0% and 100%");
    uint64_t hot = (uint64_t)(hot_keys * (double)n + 0.5);
    if (hot < 1 || hot >= n)
        return refuse(why, "there must be at least one hot key and one that is not");
    *keys = (struct key_chooser){.kind = KEYS_HOTSPOT, .n = n, .hot = hot, .hot_share = hot_share};
    return true;
}

bool keys_make_sequential(struct key_chooser *keys, uint64_t n, const char **why)
{
    if (!count_ok(n, why))
        return false;
    *keys = (struct key_chooser){.kind = KEYS_SEQUENTIAL, .n = n};
    return true;
}

bool keys_make_fresh(struct key_chooser *keys, uint64_t first, const char **why)
{
    if (first >= KEYS_FRESH_BASE)
        return refuse(why, "the first fresh key must lie below 2^63");
    *keys = (struct key_chooser){.kind = KEYS_FRESH, .offset = first};
    return true;
}

bool keys_make_trace(struct key_chooser *keys, struct arena *arena, const uint64_t *recorded,
                     size_t count, const char **why)
{
    if (!count)
        return refuse(why, "there must be at least one recorded key");
    uint64_t *copy = arena_array(arena, count, uint64_t);
    memcpy(copy, recorded, count * sizeof *copy);
    *keys = (struct key_chooser){.kind = KEYS_TRACE, .n = count, .table = copy};
    return true;
}

bool keys_shuffle(struct key_chooser *keys, uint64_t shuffle, const char **why)
{
    if (keys->kind == KEYS_FRESH || keys->kind == KEYS_TRACE)
        return refuse(why, "only uniform, zipf, hotspot and sequential keys can be shuffled");
    uint64_t state = random_mix(shuffle);
    int bits = 1;
    while (bits < 63 && keys->n > UINT64_C(1) << bits)
        bits++;
    keys->mask = (UINT64_C(1) << bits) - 1;
    keys->shift = bits / 2 > 0 ? bits / 2 : 1;
    for (int i = 0; i < 4; i++) {
        keys->multiply[i] = random_split(&state) | 1;
        keys->add[i] = random_split(&state);
    }
    keys->shuffled = true;
    return true;
}

bool keys_offset(struct key_chooser *keys, uint64_t offset, const char **why)
{
    if (offset > KEYS_MAX)
        return refuse(why, "an offset is at most 2^52");
    keys->offset = offset;
    return true;
}

/* Every step is a bijection of 0..mask; from a key outside 0..n-1 the walk goes on, so that the
 * whole is one of 0..n-1. Less than two turns on average, as 2 n > mask. */
static uint64_t shuffled(const struct key_chooser *keys, uint64_t rank)
{
    uint64_t x = rank;
    do {
        for (int i = 0; i < 4; i++) {
            x = (x * keys->multiply[i] + keys->add[i]) & keys->mask;
            x ^= x >> keys->shift;
        }
    } while (x >= keys->n);
    return x;
}

static uint64_t choose_hotspot(const struct key_chooser *keys, uint64_t draw)
{
    uint64_t state = draw;
    uint64_t inside = random_split(&state);
    if (random_unit(draw) < keys->hot_share)
        return random_below(inside, keys->hot);
    return keys->hot + random_below(inside, keys->n - keys->hot);
}

uint64_t keys_at(const struct key_chooser *keys, uint64_t rank)
{
    return keys->offset + (keys->shuffled && keys->n > 1 ? shuffled(keys, rank) : rank);
}

uint64_t keys_choose(const struct key_chooser *keys, uint64_t draw, uint64_t number)
{
    uint64_t rank = 0;
    switch (keys->kind) {
    case KEYS_UNIFORM:
        rank = keys->n > 1 ? random_below(draw, keys->n) : 0;
        break;
    case KEYS_ALIAS:
        rank = choose_alias(keys, draw);
        break;
    case KEYS_INVERSION:
        rank = choose_inversion(keys, draw);
        break;
    case KEYS_HOTSPOT:
        rank = choose_hotspot(keys, draw);
        break;
    case KEYS_SEQUENTIAL:
        rank = number % keys->n;
        break;
    case KEYS_FRESH:
        return KEYS_FRESH_BASE + keys->offset + number;
    case KEYS_TRACE:
        return keys->offset + keys->table[number % keys->n];
    }
    return keys_at(keys, rank);
}

double keys_probability(const struct key_chooser *keys, uint64_t rank)
{
    if (rank >= keys->n)
        return 0.0;
    if (keys->kind == KEYS_ALIAS || keys->kind == KEYS_INVERSION)
        return zipf_weight((double)(rank + 1), keys->s) / keys->weight_sum;
    if (keys->kind == KEYS_HOTSPOT)
        return rank < keys->hot ? keys->hot_share / (double)keys->hot
                                : (1.0 - keys->hot_share) / (double)(keys->n - keys->hot);
    CHECK(keys->kind == KEYS_UNIFORM);
    return 1.0 / (double)keys->n;
}
