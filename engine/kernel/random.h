/* Where chance comes from. Every sample is a pure function of a 64-bit `draw` that is well mixed:
 *
 *     uint64_t draw = random_of(op_id, key, sub);    what happens to a request
 *     uint64_t draw = stream_next(&stream);          arrivals, policies, faults
 *     double x = random_exponential(draw);
 *
 * A sampler that needs more than 64 bits goes on with the SplitMix64 sequence that starts at its
 * draw. Two samples of one draw are dependent: give every purpose a draw of its own. */
#ifndef ORRERY_KERNEL_RANDOM_H
#define ORRERY_KERNEL_RANDOM_H

#include "engine/kernel/check.h"

#include <stddef.h>
#include <stdint.h>

#define RANDOM_GOLDEN UINT64_C(0x9E3779B97F4A7C15) /* 2^64 over the golden ratio, odd */

static inline uint64_t random_rotate(uint64_t x, int left)
{
    return (x << left) | (x >> (64 - left));
}

/* A bijection of 64 bits in which every input bit reaches every output bit, strong enough for
 * counters as input. Source: P. Evensen, NASAM (2020), behind an offset, so that 0 does not stay
 * 0. */
static inline uint64_t random_mix(uint64_t x)
{
    x += RANDOM_GOLDEN;
    x ^= random_rotate(x, 39) ^ random_rotate(x, 17);
    x *= UINT64_C(0x9E6C63D0676A9A99);
    x ^= (x >> 23) ^ (x >> 51);
    x *= UINT64_C(0x9E6D62D06F6A9A9B);
    x ^= (x >> 23) ^ (x >> 51);
    return x;
}

/* The draw for one purpose of one request. `op_id` is unique and mixed already (random_mix of the
 * client's hash xor its sequence); `key` is a hash of tier name and purpose, made once at load
 * time; `sub` is 0 for the first visit on a plain chain, else a hash of attempt, copy, branch. */
static inline uint64_t random_of(uint64_t op_id, uint64_t key, uint64_t sub)
{
    return random_mix(op_id ^ key ^ sub);
}

/* Hash of several fields. Each field carries its kind and length, so (7, 1) != (8, 0) and
 * "a" + "bc" != "ab" + "c":
 *
 *     uint64_t h = random_hash_begin();
 *     h = random_hash_number(h, replication);
 *     h = random_hash_text(h, name, length);
 *     key = random_hash_end(h);                                                             */
uint64_t random_hash_begin(void);
uint64_t random_hash_number(uint64_t hash, uint64_t number);
uint64_t random_hash_text(uint64_t hash, const char *text, size_t length);
uint64_t random_hash_end(uint64_t hash);

/* The hash of one text alone. */
uint64_t random_hash(const char *text, size_t length);

/* SplitMix64 (Steele, Lea, Flood 2014): the next 64 bits of the sequence whose state is *state. */
static inline uint64_t random_split(uint64_t *state)
{
    uint64_t z = (*state += RANDOM_GOLDEN);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* xoshiro256++ 1.0 (Blackman, Vigna 2019). Never all zero once opened. */
struct stream {
    uint64_t s[4];
};

/* The stream of one node and purpose in one replication; both are texts ending in NUL. */
void stream_open(struct stream *stream, uint64_t seed, uint64_t replication, const char *name,
                 const char *purpose);

static inline uint64_t stream_next(struct stream *stream)
{
    uint64_t *s = stream->s;
    uint64_t result = random_rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = random_rotate(s[3], 45);
    return result;
}

/* Uniform in the open interval (0, 1): the middles of 2^52 equal cells, all exact. */
static inline double random_unit(uint64_t draw)
{
    return ((double)(draw >> 12) + 0.5) * 0x1p-52;
}

uint64_t random_below_again(uint64_t draw, uint64_t n);

/* Uniform in 0..n-1, n >= 1, without bias (Lemire 2019: multiply, reject the short cells). */
static inline uint64_t random_below(uint64_t draw, uint64_t n)
{
    unsigned __int128 product = (unsigned __int128)draw * n;
    if (UNLIKELY((uint64_t)product < n))
        return random_below_again(draw, n);
    return (uint64_t)(product >> 64);
}

static inline uint64_t stream_below(struct stream *stream, uint64_t n)
{
    return random_below(stream_next(stream), n);
}

/* Whether an event of probability `share` (0..1) happens: 0 never, 1 always. */
static inline int random_chance(uint64_t draw, double share)
{
    return random_unit(draw) < share;
}

/* One layer of a ziggurat: x = width * (53 bits), sure to lie under the curve below `sure`. */
struct random_layer {
    double width;
    uint64_t sure;
};

extern const struct random_layer random_exponential_layers[256];
extern const struct random_layer random_normal_layers[256];

double random_exponential_edge(uint64_t draw);
double random_normal_edge(uint64_t draw);

/* Exponential with mean 1: ziggurat of 256 layers (Marsaglia, Tsang, J. Stat. Software 5(8), 2000),
 * layer from the low 8 bits, position from the high 53. In about 1 of 80 draws a wedge or the tail
 * decides. */
static inline double random_exponential(uint64_t draw)
{
    const struct random_layer *layer = &random_exponential_layers[draw & 255];
    uint64_t position = draw >> 11;
    if (LIKELY(position < layer->sure))
        return (double)(int64_t)position * layer->width;
    return random_exponential_edge(draw);
}

/* Normal with mean 0 and variance 1, the same way; bit 8 is the sign. */
static inline double random_normal(uint64_t draw)
{
    const struct random_layer *layer = &random_normal_layers[draw & 255];
    uint64_t position = draw >> 11;
    if (LIKELY(position < layer->sure)) {
        double x = (double)(int64_t)position * layer->width;
        return draw & 256 ? -x : x;
    }
    return random_normal_edge(draw);
}

#endif
