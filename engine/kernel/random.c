#include "engine/kernel/random.h"

#include "engine/kernel/arithmetic.h"

#include <string.h>

enum { FIELD_NUMBER = 1, FIELD_TEXT = 2 };

uint64_t random_hash_begin(void)
{
    return UINT64_C(0x6F72726572790001); /* "orrery", version 1 of the way names become streams */
}

uint64_t random_hash_number(uint64_t hash, uint64_t number)
{
    return random_mix(random_mix(hash + FIELD_NUMBER) ^ number);
}

uint64_t random_hash_text(uint64_t hash, const char *text, size_t length)
{
    hash = random_mix(random_mix(hash + FIELD_TEXT) ^ length);
    while (length) {
        size_t taken = length < 8 ? length : 8;
        uint64_t word = 0; /* little-endian by construction, whatever the machine is */
        for (size_t i = 0; i < taken; i++)
            word |= (uint64_t)(unsigned char)text[i] << (8 * i);
        hash = random_mix(hash ^ word);
        text += taken;
        length -= taken;
    }
    return hash;
}

uint64_t random_hash_end(uint64_t hash)
{
    return random_mix(hash);
}

uint64_t random_hash(const char *text, size_t length)
{
    return random_hash_end(random_hash_text(random_hash_begin(), text, length));
}

void stream_open(struct stream *stream, uint64_t seed, uint64_t replication, const char *name,
                 const char *purpose)
{
    uint64_t hash = random_hash_begin();
    hash = random_hash_number(hash, seed);
    hash = random_hash_number(hash, replication);
    hash = random_hash_text(hash, name, strlen(name));
    hash = random_hash_text(hash, purpose, strlen(purpose));
    uint64_t state = random_hash_end(hash);
    for (int i = 0; i < 4; i++)
        stream->s[i] = random_split(&state); /* a bijection of distinct states: at most one is 0 */
}

uint64_t random_below_again(uint64_t draw, uint64_t n)
{
    CHECK(n > 0);
    uint64_t state = draw;
    uint64_t short_cells = (0 - n) % n; /* 2^64 mod n: so many draws too many for n equal cells */
    unsigned __int128 product = (unsigned __int128)draw * n;
    while ((uint64_t)product < short_cells)
        product = (unsigned __int128)random_split(&state) * n;
    return (uint64_t)(product >> 64);
}

/* The right end of layer i. Layer 255, the base, ends at area / f(tail) but counts as far as the
 * tail's begin, which is the right end of layer 254. */
static double right_end(const struct random_layer *layers, uint64_t i)
{
    return layers[i].width * 0x1p53;
}

/* Layer i < 255 lies between the heights f(right_end(i)) and f(right_end(i - 1)), f(0) = 1. */
static int below_exponential(uint64_t i, double x, double unit)
{
    double low = arithmetic_exp(-right_end(random_exponential_layers, i));
    double high = i ? arithmetic_exp(-right_end(random_exponential_layers, i - 1)) : 1.0;
    return low + unit * (high - low) < arithmetic_exp(-x);
}

double random_exponential_edge(uint64_t draw)
{
    uint64_t state = draw;
    double passed = 0.0; /* the law has no memory: beyond the last layer it begins anew */
    for (;;) {
        uint64_t i = draw & 255, position = draw >> 11;
        double x = (double)(int64_t)position * random_exponential_layers[i].width;
        if (position < random_exponential_layers[i].sure)
            return passed + x;
        if (i == 255)
            passed += right_end(random_exponential_layers, 254);
        else if (below_exponential(i, x, random_unit(random_split(&state))))
            return passed + x;
        draw = random_split(&state);
    }
}

static double normal_height(double x)
{
    return arithmetic_exp(-0.5 * x * x);
}

static int below_normal(uint64_t i, double x, double unit)
{
    double low = normal_height(right_end(random_normal_layers, i));
    double high = i ? normal_height(right_end(random_normal_layers, i - 1)) : 1.0;
    return low + unit * (high - low) < normal_height(x);
}

/* Beyond `begin`: G. Marsaglia, Generating a variable from the tail of the normal distribution,
 * Technometrics 6 (1964). */
static double normal_tail(double begin, uint64_t *state)
{
    for (;;) {
        double x = random_exponential(random_split(state)) / begin;
        double y = random_exponential(random_split(state));
        if (y + y > x * x)
            return begin + x;
    }
}

double random_normal_edge(uint64_t draw)
{
    uint64_t state = draw;
    for (;;) {
        uint64_t i = draw & 255, position = draw >> 11;
        double x = (double)(int64_t)position * random_normal_layers[i].width;
        int negative = (draw & 256) != 0;
        if (position >= random_normal_layers[i].sure) {
            if (i == 255)
                x = normal_tail(right_end(random_normal_layers, 254), &state);
            else if (!below_normal(i, x, random_unit(random_split(&state)))) {
                draw = random_split(&state);
                continue;
            }
        }
        return negative ? -x : x;
    }
}
