/* What the scenario sets beside the kinds' own keys: `run`, `output`, the keys of every node and of
 * every link. Described by field tables like the kinds' keys, so that parser, manual and schema
 * have one source here too. */
#ifndef ORRERY_SCENARIO_SETTINGS_H
#define ORRERY_SCENARIO_SETTINGS_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/field.h"

#include <stdbool.h>
#include <stdint.h>

struct seed_settings {
    uint64_t seed;
};

struct run_settings {
    int64_t warmup;        /* ns; the user's only with `has_warmup` and without `auto_warmup` */
    int64_t duration;      /* ns > 0 */
    uint64_t replications; /* >= 1 */
    double confidence;     /* 0..1 */
    int64_t drain;         /* ns; the user's only with `has_drain` */
    uint64_t in_flight;    /* >= 1 */
    bool has_warmup, has_drain;
    bool auto_warmup; /* `warmup: auto`: `warmup` is what pilots found, or 10% before they did */
};

struct output_settings {
    int64_t series; /* ns; TIME_NONE: no series.csv */
    bool history, leaders;
};

/* Keys of every node that are typed alike for all kinds. */
struct node_settings {
    uint64_t count; /* >= 1 */
    double weight;  /* > 0 */
    double speed;   /* > 0 */
    int64_t price;  /* 1e-9 USD an hour */
    struct scaling scaling;
    struct field_list schedule; /* of struct scaling_point */
    uint64_t least, most;       /* min and max of the scaling; most 0: not set */
    bool scales;
};

/* The keys of one entry of `links`, and which of them it sets. */
struct link_settings {
    struct link_config config;
    bool has_latency, has_bandwidth, has_loss, has_duplicate, has_reorder, has_queue, has_give_up,
        has_transport;
    uint8_t transport; /* 0: message, 1: stream */
};

extern const struct field_table settings_seed, settings_run, settings_output, settings_node,
    settings_link;

/* Keys whose values no field type describes (names, maps, lists): the manual and the unknown-key
 * hints need them all the same. Ends with a name of NULL. */
struct settings_key {
    const char *name, *type, *otherwise, *summary;
};

extern const struct settings_key settings_top_keys[], settings_node_keys[], settings_output_keys[],
    settings_operation_keys[];

#endif
