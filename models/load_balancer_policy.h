/* The inside of the load balancer: what its policies see and what they are. Only for the files of
 * the balancer.
 *
 * A *choice* is a policy at work on one pool. Its *view* is the part of the pool that may be given
 * work, in the order of the pool; it is made anew, lazily, when health_version has moved. */
#ifndef ORRERY_MODELS_LOAD_BALANCER_POLICY_H
#define ORRERY_MODELS_LOAD_BALANCER_POLICY_H

#include "models/load_balancer.h"

enum { BALANCER_NOBODY = UINT32_MAX, BALANCER_SAMPLE = 1000 };

enum load_balancer_trait {
    BALANCER_WEIGHS = 1,   /* shares go by `weight` */
    BALANCER_COUNTS = 2,   /* looks at load, and `weight` with it: `refresh` says something */
    BALANCER_MEASURES = 4, /* looks at response times */
    BALANCER_NO_RAMP = 8,  /* `slow_start` says nothing */
};

/* Where sessions stick: open addressing, grown by doubling. Like a cookie that the client carries:
 * all balancers of a node honour it, and it outlives them. */
struct balancer_sticky {
    struct balancer_stuck *slots;
    uint32_t room, used; /* room: a power of two, or 0 */
};

struct balancer_choice {
    const struct load_balancer_config *config;
    const struct load_balancer_rule *rule;
    struct balancer *balancer;
    uint32_t operation; /* the first one that uses it */
    uint32_t *agents;   /* the view: indices of agents */
    uint32_t *at;       /* their positions in the pool */
    double *weights;    /* as configured */
    uint32_t count;     /* of the view */
    bool even;          /* the weights are all the same */
    bool *present;      /* by position in the pool */
    uint64_t version;   /* health_version when the view was made */
    uint32_t *sample;   /* [BALANCER_SAMPLE]: the backends of sample keys; NULL: no hashing */
    double *scores;     /* room for one number each */
    struct balancer_sticky *sticky; /* of the node */
    void *state;                    /* the rule's own */
};

/* A policy. All of it mandatory. Volatile memory comes from the arena of the agent's place. */
struct load_balancer_rule {
    /* Once, before the first view: makes what it needs, for a pool of any size. */
    void (*open)(struct agent *agent, struct balancer_choice *choice);
    /* The view has changed, `choice->present` too; count may be 0. Draws nothing. */
    void (*refill)(struct agent *agent, struct balancer_choice *choice);
    /* The agent to be called; count is at least 2, or 1 under policies that keep books. */
    uint32_t (*pick)(struct agent *agent, struct balancer_choice *choice, const struct call *c);
    /* Of a policy that hashes: the agent a hash belongs to, whatever the load; count >= 1. Else
     * NULL.
     */
    uint32_t (*owner)(const struct balancer_choice *choice, uint64_t hash);
    uint8_t traits; /* enum load_balancer_trait */
};

/* What zone_aware uses within a zone. */
const struct load_balancer_rule *load_balancer_zone_rule(const struct load_balancer_config *config);

#define POLICY(constant, word, parameters, summary)                                                \
    extern const struct load_balancer_rule load_balancer_##word;
LOAD_BALANCER_POLICIES(POLICY)
#undef POLICY

extern const struct load_balancer_rule *const load_balancer_rules[BALANCER_POLICIES];
extern const struct field_table load_balancer_fields;

extern const struct field_table load_balancer_power_of_two_parameters,
    load_balancer_least_response_time_parameters, load_balancer_consistent_hash_parameters,
    load_balancer_bounded_load_parameters, load_balancer_zone_aware_parameters;

/* What is known of how fast a backend answers, by index of agent. */
struct balancer_estimate {
    double response_ns; /* the moving estimate when it last moved */
    int64_t moved_at;   /* ns */
    bool measured;
};

/* Durable. The station first: the place keeps a pointer to it. */
struct balancer_kept {
    struct station station;
    struct balancer_sticky *sticky; /* by operation; of the first instance alone */
};

/* Volatile: a restarted balancer begins anew, with no connections. Arrays go by index of agent. */
struct balancer {
    uint32_t *connections;                  /* tries that have not settled */
    struct balancer_choice *const *choices; /* by operation */
    struct guard *guard;                    /* NULL: nothing guards its calls */
    struct health health;
    const uint32_t *known_connections; /* what policies see: the same, or a copy */
    uint32_t *copied_connections;      /* of the last refresh; NULL: none */
    uint32_t *known_inside;            /* likewise what is inside the backends; NULL: look there */
    struct balancer_estimate *estimates;             /* NULL: no policy looks at them */
    const struct balancer_estimate *known_estimates; /* like known_connections */
    struct balancer_estimate *copied_estimates;
    int64_t *since; /* ns when a backend that had been away came back; INT64_MIN: never away */
    bool *away;
    int64_t ramps_until; /* ns: from then on no backend is in its slow start */
    int64_t slow_start;
    uint64_t salt; /* of key hashes: the same for all balancers of a run */
    int64_t decay; /* ns, of the estimates */
    bool checks;   /* backends that are down may be chosen */
};

/* Everything of a balancer but its station and its calls. */
void balancer_open(struct agent *agent, struct balancer *b);

/* The backend for the next try of a call, or BALANCER_NOBODY. */
uint32_t balancer_pick(struct agent *agent, struct balancer_choice *choice, const struct call *c);

/* Load information has reached its age. */
enum { BALANCER_TICK_REFRESH = 1 };
void balancer_refresh(struct agent *agent);

/* A try at a backend took so long, or ran out of time after so long. */
void balancer_measure(struct agent *agent, uint32_t backend, int64_t took_ns);

/* A backend's answer has come, or was given up; `connections` does not count it any more. */
void load_balancer_idle_told(struct agent *agent, struct balancer_choice *choice, uint32_t backend);

/* ---- for policies ---- */

static inline uint32_t balancer_below(struct agent *agent, uint32_t count)
{
    return (uint32_t)stream_below(agent_stream(agent, STREAM_POLICY), count);
}

static inline bool balancer_ramping(const struct agent *agent, const struct balancer *b)
{
    return UNLIKELY(simulation_now(agent->simulation) < b->ramps_until);
}

/* The part of its weight that a backend has by now: 1, or while it is in its slow start the time
 * since its return over `slow_start`, at least 1 %. */
double balancer_ramp(const struct agent *agent, const struct balancer *b, uint32_t backend);

/* The weight of the view's i-th backend now. */
static inline double balancer_weight(const struct agent *agent,
                                     const struct balancer_choice *choice, uint32_t i)
{
    const struct balancer *b = choice->balancer;
    double weight = choice->weights[i];
    return balancer_ramping(agent, b) ? weight * balancer_ramp(agent, b, choice->agents[i])
                                      : weight;
}

/* Whether a backend that a policy without weights has drawn takes the request: always, but in its
 * slow start only as often as its ramp over the highest ramp of the view. `draw` is uniform. */
bool balancer_takes(const struct agent *agent, const struct balancer_choice *choice,
                    uint32_t backend, uint64_t draw);

/* Index in the view of the least of `choice->scores`, at random among equals. */
uint32_t balancer_least(struct agent *agent, const struct balancer_choice *choice);

/* For rules that need nothing of the kind. */
void balancer_no_open(struct agent *agent, struct balancer_choice *choice);
void balancer_no_refill(struct agent *agent, struct balancer_choice *choice);

#endif
