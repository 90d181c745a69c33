/* One point of a scenario on its way from the document to a blueprint. Inside the loader only:
 * point_build calls the steps in the order in which they stand here; each reads what the earlier
 * ones wrote. Errors are collected and later steps go on with what is there. */
#ifndef ORRERY_SCENARIO_POINT_H
#define ORRERY_SCENARIO_POINT_H

#include "engine/kernel/blueprint.h"
#include "engine/scenario/bind.h"
#include "engine/scenario/document.h"
#include "engine/scenario/elsewhere.h"
#include "engine/scenario/sampler.h"
#include "engine/scenario/settings.h"

struct point {
    struct document document; /* of this point: vars replaced */
    struct arena *arena;      /* holds the blueprint */
    const struct kind *const *kinds;
    struct blueprint *blueprint;
    struct binder binder;
    struct blueprint_node *nodes; /* what blueprint->nodes points to */
    const struct node **maps;     /* [node]: its map in the document */
    const struct node **names;    /* [node]: its key in `nodes` */
    int32_t *zones;               /* [agent]: where it stands, or ZONE_NONE */
    struct operation *operations; /* what blueprint->operations points to, by name */
    const struct node **declared; /* [operation]: where a client declares it, or NULL */
    bool *special;                /* [node x operation]: has a configuration of its own */
    struct run_settings run;
    int64_t found_warmup;              /* ns: what pilots found for `warmup: auto`; 0: not yet */
    struct sampler_shared *shared;     /* of the scenario */
    const struct elsewhere *elsewhere; /* what other points of the sweep name; or NULL */
};

/* Names, kinds and counts of the nodes. */
void point_nodes(struct point *point);

/* The operations that clients declare, by name, with their types. */
void point_operations(struct point *point);

/* Tells `declare` of every operation that a list of steps goes on as, in order of the text. */
void point_begun(struct point *point, const struct node *value,
                 void (*declare)(struct point *point, void *context, const struct node *name),
                 void *context);

/* How many instances a group has: as many as its members have. `nodes`: how many are known. */
void point_group_count(struct point *point, uint32_t node, uint32_t nodes);

/* On whose places the instances of groups live; after the zones, which they share. */
void point_hosts(struct point *point);

/* `zones:` and `zone:`: where every instance stands. */
void point_zones(struct point *point);

/* The configuration of every instance and operation. */
void point_configs(struct point *point);

/* Shares of a client's operations as this instance sees them (dealt map): [operation], 0 where it
 * does not begin it. False after an error. */
bool point_shares(struct point *point, const struct node *map, double *shares);

/* Refuses calls that go round in a circle for one operation. */
void point_cycles(struct point *point);

/* Refuses operations that reach a store and have no type that stores know. */
void point_stores(struct point *point);

/* Whether any client reaches each node: [node]. */
const bool *point_reached(struct point *point);

/* `links:` into link rules; ties are errors. */
void point_links(struct point *point);

/* `run:` and `output:` into windows, drain, limits. */
void point_run(struct point *point);

/* `faults:` into faults; after the run, whose length bounds how often they strike. */
void point_faults(struct point *point);

/* All of it. `document` is of this point, its vars already replaced. */
void point_build(struct point *point);

struct scenario;

/* Builds a point of a loaded scenario, in `arena`; `blueprint` must be zero. */
void scenario_point(const struct scenario *scenario, uint32_t at, struct arena *arena,
                    struct blueprint *blueprint, struct point *point);

/* All pairs of an operation and a node, as operation x nodes + node, in an order in which every
 * caller comes before those it calls; the calls must not go in a circle. */
const uint32_t *point_order(struct point *point);

/* False, with an error at `key`, when its text cannot name a `what` ("a node", "a zone"). */
bool point_name(struct point *point, const struct node *key, const char *what);

#endif
