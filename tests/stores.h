/* A scenario with a replicated store called `store`, played with a witness (tests/ledger.h), for
 * tests of what must hold whatever happens:
 *
 *     struct played p;
 *     play_store(&p, text, seed, 30 * SECOND, NULL);
 *     ... p.ledger, p.group ...
 *     played_free(&p); */
#ifndef ORRERY_TESTS_STORES_H
#define ORRERY_TESTS_STORES_H

#include "models/replicated.h"
#include "tests/ledger.h"
#include "tests/scenario.h"

struct played {
    struct loaded loaded;
    struct ledger ledger;
    struct probe probe;
    struct simulation *simulation;
    const struct group *group;
};

/* Runs to the end, and on to `until_ns`, so that what is on its way arrives. `complete`: told of
 * ends instead of the ledger's own; or NULL. */
static inline void play_store(struct played *p, const char *text, uint64_t seed, int64_t until_ns,
                              void (*complete)(void *context, const struct agent *at,
                                               const struct call *operation))
{
    *p = (struct played){.loaded = load(text, false)};
    if (!p->loaded.scenario)
        diagnostic_print(p->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->loaded.scenario);
    p->probe = ledger_probe(&p->ledger);
    if (complete)
        p->probe.complete = complete;
    struct simulation_options options = {.probe = &p->probe};
    p->simulation = simulation_create(p->loaded.blueprint, seed, 1, &options);
    simulation_run(p->simulation, NULL);
    simulation_advance(p->simulation, until_ns); /* no faults any more: it settles */
    const struct blueprint_node *store = node_in(p->loaded.blueprint, "store");
    p->group = replica_of(&p->simulation->agents[store->first])->group;
}

static inline void played_free(struct played *p)
{
    simulation_free(p->simulation);
    ledger_free(&p->ledger);
    loaded_free(&p->loaded);
}

#endif
