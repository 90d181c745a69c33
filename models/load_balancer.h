/* The configuration of a load balancer, as the loader and the tests make it. */
#ifndef ORRERY_MODELS_LOAD_BALANCER_H
#define ORRERY_MODELS_LOAD_BALANCER_H

#include "models/parts/caller.h"
#include "models/parts/health.h"
#include "models/parts/station.h"

/* Every policy: its constant, its word, the table of its parameters (or NULL), what the manual says
 * of it. The word names its functions too: load_balancer_random in load_balancer_turn.c. A new one
 * is a line here and its functions in a file of its family. */
#define LOAD_BALANCER_POLICIES(POLICY)                                                             \
    POLICY(RANDOM, random, NULL, "Each backend as likely as any other.")                           \
    POLICY(WEIGHTED_RANDOM, weighted_random, NULL, "Each backend as likely as its `weight`.")      \
    POLICY(ROUND_ROBIN, round_robin, NULL, "In turn, from the first instance on.")                 \
    POLICY(WEIGHTED_ROUND_ROBIN, weighted_round_robin, NULL,                                       \
           "In turn by `weight`, spread evenly (smooth, as nginx): every time each backend gains " \
           "its weight, and the richest is chosen and pays the sum of all weights.")               \
    POLICY(LEAST_CONNECTIONS, least_connections, NULL,                                             \
           "One of those with the fewest requests of this balancer in hand, one more counted, "    \
           "over `weight`; at random among equals.")                                               \
    POLICY(POWER_OF_TWO, power_of_two, &load_balancer_power_of_two_parameters,                     \
           "Of `choices` backends drawn at random the one that least_connections would take.")     \
    POLICY(                                                                                        \
        LEAST_RESPONSE_TIME, least_response_time, &load_balancer_least_response_time_parameters,   \
        "The least estimate x (requests of this balancer in hand + 1) / `weight`. The estimate "   \
        "moves with every ok answer, and with every try that ran out of time: e = x + (e - x) "    \
        "exp(-t / decay), x the response time, t the time since the one before; while nothing "    \
        "comes it fades by exp(-t / decay). Whoever has no estimate comes first, once.")           \
    POLICY(JOIN_SHORTEST_QUEUE, join_shortest_queue, NULL,                                         \
           "One of the backends with the fewest requests inside, whoever sent them, one more "     \
           "counted, over `weight`; at random among equals.")                                      \
    POLICY(JOIN_IDLE_QUEUE, join_idle_queue, NULL,                                                 \
           "The backend that has stood idle longest of those that told this balancer so; where "   \
           "none has, one at random. A backend tells the balancer whose answer leaves it with "    \
           "nothing inside; at the start each tells one balancer, in turn (Lu et al., 2011).")     \
    POLICY(                                                                                        \
        HASH, hash, NULL,                                                                          \
        "hash(`hash`) modulo the number of backends: nearly every key moves when that changes.")   \
    POLICY(                                                                                        \
        CONSISTENT_HASH, consistent_hash, &load_balancer_consistent_hash_parameters,               \
        "A ring: each backend has `vnodes` x `weight` points on a circle, and a key belongs to "   \
        "the first point at or after its hash. Who comes or goes moves only its own arcs.")        \
    POLICY(                                                                                        \
        RENDEZVOUS, rendezvous, NULL,                                                              \
        "The backend whose score for this key is highest (highest random weight), by `weight`; "   \
        "even without points, and who comes or goes moves only its own keys.")                     \
    POLICY(JUMP, jump, NULL,                                                                       \
           "Jump consistent hash: perfectly even and without memory. Backends are numbers in the " \
           "order of the pool, so where one in the middle goes, those behind it move up.")         \
    POLICY(MAGLEV, maglev, NULL,                                                                   \
           "A table of 65537 slots that the backends fill in turn, each by a permutation of its "  \
           "own, by `weight`: even to one slot, a few keys too many move.")                        \
    POLICY(BOUNDED_LOAD, bounded_load, &load_balancer_bounded_load_parameters,                     \
           "A ring on which a backend that already has `load` x its part, by `weight`, of the "    \
           "requests in hand is passed over for the next point (Mirrokni et al., 2018).")          \
    POLICY(ZONE_AWARE, zone_aware, &load_balancer_zone_aware_parameters,                           \
           "The backends of the balancer's own zone as long as one of them may be given work, "    \
           "else all; among them by another policy.")

#define POLICY(constant, word, parameters, summary) BALANCER_##constant,
enum load_balancer_policy { LOAD_BALANCER_POLICIES(POLICY) BALANCER_POLICIES };
#undef POLICY

enum load_balancer_hash { BALANCER_HASH_KEY, BALANCER_HASH_SESSION, BALANCER_HASH_REQUEST };
enum load_balancer_sticky { BALANCER_STICKY_NONE, BALANCER_STICKY_SESSION };

/* refresh, health and slow_start are read from the first operation's configuration. */
struct load_balancer_config {
    struct station_config station;
    struct caller_config caller;
    struct health_config health;
    struct pool to;
    uint64_t choices;   /* power_of_two: backends looked at, >= 1 */
    uint64_t vnodes;    /* consistent_hash, bounded_load: points of a backend of weight 1, >= 1 */
    double load;        /* bounded_load: >= 1 */
    int64_t decay;      /* least_response_time: ns, > 0 */
    int64_t refresh;    /* ns: age that load information reaches; 0: none */
    int64_t slow_start; /* ns: until a returning backend has its whole weight; 0: at once */
    uint8_t policy;
    uint8_t hash;     /* enum load_balancer_hash */
    uint8_t sticky;   /* enum load_balancer_sticky */
    uint8_t inside;   /* zone_aware: index of the policy within the zone */
    bool replacement; /* power_of_two: one may be drawn twice */
};

enum load_balancer_metric {
    BALANCER_KEYS,       /* hidden: sample keys looked at, at each change of the view */
    BALANCER_KEYS_MOVED, /* hidden: those of them that changed their backend */
    BALANCER_KEYS_MOVED_RATIO,
    BALANCER_GIVEN_UP,
    BALANCER_MISDIRECTED,
    BALANCER_SESSIONS_MOVED,
    BALANCER_METRICS,
};
enum { BALANCER_TABLE = 2 };
extern const struct metric_table load_balancer_metrics;

#endif
