/* Scenarios from texts, for unit tests:
 *
 *     struct loaded l = load("orrery: 1 ...", false);
 *     CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
 *     const struct blueprint_node *web = node_of(&l, "web");
 *     loaded_free(&l); */
#ifndef ORRERY_TESTS_SCENARIO_H
#define ORRERY_TESTS_SCENARIO_H

#include "engine/scenario/scenario.h"
#include "models/registry.h"
#include "tests/suite.h"

#include <stdlib.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)

/* The nodes most tests need: what they add begins on a line of its own. */
#define DESK                                                                                       \
    "orrery: 1\n"                                                                                  \
    "nodes:\n"                                                                                     \
    "  users: {kind: client, arrivals: poisson(80/s), to: desk}\n"                                 \
    "  desk: {kind: service, time: exp(10ms)}\n"

struct loaded {
    struct diagnostics *diagnostics; /* stays where it is: the scenario points to it */
    struct scenario *scenario;       /* NULL: refused */
    struct blueprint *blueprint;     /* of the first point */
    const struct report *report;
};

static inline struct loaded load_with(const char *text, bool sweep, const char *const *sets,
                                      uint32_t set_count)
{
    struct loaded l = {.diagnostics = calloc(1, sizeof *l.diagnostics)};
    if (!l.diagnostics)
        abort();
    struct scenario_request request = {.path = "test.yaml",
                                       .kinds = model_kinds,
                                       .sweep = sweep,
                                       .sets = sets,
                                       .set_count = set_count};
    l.scenario = scenario_load_text(&request, text, strlen(text), l.diagnostics);
    if (!l.scenario) {
        return l;
    }
    l.blueprint = scenario_blueprint(l.scenario, 0);
    l.report = scenario_report(l.scenario);
    return l;
}

static inline struct loaded load(const char *text, bool sweep)
{
    return load_with(text, sweep, NULL, 0);
}

static inline void loaded_free(struct loaded *l)
{
    scenario_blueprint_free(l->blueprint);
    scenario_free(l->scenario);
    diagnostic_free(l->diagnostics);
    free(l->diagnostics);
}

/* Whether the text is refused with a message that holds `message`; a wrong one is printed. */
static inline bool refused(const char *text, bool sweep, const char *message)
{
    struct loaded l = load(text, sweep);
    char *said = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&said, &size);
    if (!out)
        abort();
    diagnostic_print(l.diagnostics, out, false);
    fclose(out);
    bool told = !l.scenario && strstr(said, message) != NULL;
    if (!told)
        printf("wanted `%s`, got: %s\n", message, said);
    free(said);
    loaded_free(&l);
    return told;
}

static inline const struct blueprint_node *node_in(const struct blueprint *b, const char *name)
{
    for (uint32_t i = 0; i < b->node_count; i++)
        if (!strcmp(b->nodes[i].name, name))
            return &b->nodes[i];
    return NULL;
}

static inline uint32_t operation_in(const struct blueprint *b, const char *name)
{
    uint32_t i = 0;
    while (i < b->operation_count && strcmp(b->operations[i].name, name) != 0)
        i++;
    return i;
}

#endif
