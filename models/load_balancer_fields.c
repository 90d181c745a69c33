/* What users write for a load balancer, and what it measures. */
#include "models/load_balancer_policy.h"

#include <stddef.h>

#define POLICY(constant, word, parameters, summary)                                                \
    [BALANCER_##constant] = {#word, summary, parameters},
static const struct field_word policies[] = {LOAD_BALANCER_POLICIES(POLICY){0}};
#undef POLICY

static const struct field_word hashes[] = {
    [BALANCER_HASH_KEY] = {"key", "The key of the request.", NULL},
    [BALANCER_HASH_SESSION] = {"session", "Who asks.", NULL},
    [BALANCER_HASH_REQUEST] = {"request",
                               "The request itself: every one anew, its retries like itself.",
                               NULL},
    {0},
};

static const struct field_word stickies[] = {
    [BALANCER_STICKY_NONE] = {"none", "Every try is a new choice.", NULL},
    [BALANCER_STICKY_SESSION] =
        {"session",
         "The first choice for a session holds until its backend dies or may no longer be given "
         "work; with the next request a new choice is made and holds, also when the old one comes "
         "back. Like a cookie: all balancers of the node honour it.",
         NULL},
    {0},
};

const struct field_table load_balancer_fields = {
    .fields =
        (const struct field[]){
            {.name = "policy",
             .type = FIELD_WORD,
             .offset = offsetof(struct load_balancer_config, policy),
             .otherwise = "round_robin",
             .words = policies,
             .summary = "How the backend of a request is chosen."},
            {.name = "choices",
             .type = FIELD_COUNT,
             .offset = offsetof(struct load_balancer_config, choices),
             .otherwise = "2",
             .min = 1,
             .summary = "For power_of_two: how many backends are looked at, distinct ones, all of "
                        "them where there are not so many."},
            {.name = "hash",
             .type = FIELD_WORD,
             .offset = offsetof(struct load_balancer_config, hash),
             .otherwise = "key",
             .words = hashes,
             .summary = "What policies that hash take of a request."},
            {.name = "sticky",
             .type = FIELD_WORD,
             .offset = offsetof(struct load_balancer_config, sticky),
             .otherwise = "none",
             .words = stickies,
             .summary = "Whether a session stays where it is."},
            {.name = "refresh",
             .type = FIELD_TIME,
             .offset = offsetof(struct load_balancer_config, refresh),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary =
                 "Age of load information: at 0s and so often from then on, by the "
                 "balancer's clock, it copies what it has in hand, what is inside the "
                 "backends and its estimates; policies look at the copy, to which nothing is "
                 "added in between. 0s: they look at the numbers themselves."},
            {.name = "slow_start",
             .type = FIELD_TIME,
             .offset = offsetof(struct load_balancer_config, slow_start),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "A backend that comes back has its weight only by and by: the time since "
                        "over this one, at least 1 %. Policies without weights pass it over so "
                        "often; hashing ones give it its keys back one after another."},
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct load_balancer_config, to),
             .flags = FIELD_REQUIRED,
             .summary = "The backends: a counted node or a list."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&health_fields, offsetof(struct load_balancer_config, health)},
            {&station_slots_unlimited, offsetof(struct load_balancer_config, station)},
            {&station_fields, offsetof(struct load_balancer_config, station)},
            {&caller_fields, offsetof(struct load_balancer_config, caller)},
            {0},
        },
};

const struct metric_table load_balancer_metrics = {
    .metrics =
        (const struct metric[]){
            [BALANCER_KEYS] = {".keys", "1", METRIC_TOTAL, 0, 0,
                               "Sample keys looked at whenever the backends that may be given work "
                               "were others."},
            [BALANCER_KEYS_MOVED] = {".keys_moved", "1", METRIC_TOTAL, 0, 0,
                                     "Those of them that had another backend than before."},
            [BALANCER_KEYS_MOVED_RATIO] =
                {"keys_moved", "1", METRIC_RATIO, BALANCER_KEYS_MOVED, BALANCER_KEYS,
                 "Share of keys that change their backend when the backends that may be given work "
                 "change: of a sample of 1,000 keys, at every such change within the window, when "
                 "the next request comes. Policies that hash; loads and sessions that stick left "
                 "aside."},
            [BALANCER_GIVEN_UP] = {"given_up", "1", METRIC_TOTAL, 0, 0,
                                   "Backends taken out within the window by probes or by errors, "
                                   "whether they were down or not."},
            [BALANCER_MISDIRECTED] = {"misdirected", "1", METRIC_TOTAL, 0, 0,
                                      "Tries sent to a backend that was down, which the balancer "
                                      "had not found out yet."},
            [BALANCER_SESSIONS_MOVED] = {"sessions_moved", "1", METRIC_TOTAL, 0, 0,
                                         "Requests of sessions whose backend was gone and which "
                                         "were given another."},
        },
    .count = BALANCER_METRICS,
};
