/* Systems with a `cache` before a `db`, played from their text, and how often the db was asked. */
#ifndef ORRERY_TESTS_CACHED_H
#define ORRERY_TESTS_CACHED_H

#include "models/cache_copies.h"
#include "tests/scenario.h"

struct played {
    struct loaded loaded;
    struct observer observer;
    struct simulation *simulation;
    uint64_t all;   /* calls that have reached the store */
    uint64_t asked; /* those of the first 10 s */
};

static inline void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct played *p = context;
    (void)c;
    p->all += !strcmp(at->node_name, "db");
    p->asked += !strcmp(at->node_name, "db") && simulation_now(at->simulation) < 10 * SECOND;
}

static inline void play(struct played *p, const char *text, uint64_t seed)
{
    *p = (struct played){.loaded = load(text, false)};
    if (!p->loaded.scenario)
        diagnostic_print(p->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->loaded.scenario);
    p->observer = (struct observer){.context = p, .arrive = on_arrive};
    struct simulation_options options = {.observer = &p->observer};
    p->simulation = simulation_create(p->loaded.blueprint, seed, 1, &options);
    simulation_run(p->simulation, NULL);
}

static inline void played_free(struct played *p)
{
    simulation_free(p->simulation);
    loaded_free(&p->loaded);
}

static inline const struct cache *cache_of(const struct played *p)
{
    return p->simulation->agents[node_in(p->loaded.blueprint, "cache")->first].durable;
}

static inline uint64_t asked(const char *text)
{
    struct played p;
    play(&p, text, 1);
    uint64_t count = p.asked;
    played_free(&p);
    return count;
}

#endif
