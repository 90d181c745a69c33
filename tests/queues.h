/* Scenarios with a queue called `inbox` and its subscription `mail`, played for tests:
 *
 *     struct played p;
 *     play(&p, seed, SYSTEM(...));
 *     ... of_mail(&p, DELIVERY_LOST_COUNT) ...
 *     played_free(&p); */
#ifndef ORRERY_TESTS_QUEUES_H
#define ORRERY_TESTS_QUEUES_H

#include "models/queue_state.h"
#include "tests/scenario.h"

#include <stdarg.h>
#include <stdio.h>

struct played {
    struct loaded loaded;
    struct simulation *simulation;
};

__attribute__((format(printf, 3, 4))) static inline void play(struct played *p, uint64_t seed,
                                                              const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    *p = (struct played){.loaded = load(text, false)};
    if (!p->loaded.scenario)
        diagnostic_print(p->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->loaded.scenario);
    p->simulation = simulation_create(p->loaded.blueprint, seed, 1, NULL);
    simulation_run(p->simulation, NULL);
    simulation_close(p->simulation);
}

static inline void played_free(struct played *p)
{
    simulation_free(p->simulation);
    loaded_free(&p->loaded);
}

/* A count of a node's table, over its instances and all operations. */
static inline uint64_t counted(const struct played *p, const char *name, uint32_t table,
                               uint32_t metric)
{
    const struct simulation *s = p->simulation;
    const struct blueprint_node *n = node_in(p->loaded.blueprint, name);
    uint64_t sum = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct record *r = s->agents[n->first + i].records[table];
        for (uint32_t o = 0; o < s->blueprint->operation_count; o++)
            sum += r->counts[(size_t)o * r->metric_count + metric];
    }
    return sum;
}

static inline uint64_t of_mail(const struct played *p, enum delivery_metric metric)
{
    return counted(p, "inbox.mail", SUBSCRIPTION_TABLE, metric);
}

static inline uint64_t of_queue(const struct played *p, enum queue_metric metric)
{
    return counted(p, "inbox", QUEUE_TABLE, metric);
}

#define SYSTEM(arrivals, queue, subscription, consumer, rest)                                      \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1, drain: 200s}\nnodes:\n"          \
    "  app: {kind: client, arrivals: " arrivals ", operations: {order: {share: 100%%, type: "      \
    "insert}}, keys: sequential(1M), to: inbox}\n"                                                 \
    "  inbox: {kind: queue, " queue " subscriptions: {mail: {to: mailer" subscription "}}}\n"      \
    "  mailer: {kind: service, " consumer "}\n" rest

#endif
