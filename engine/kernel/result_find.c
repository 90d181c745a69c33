/* Finding one's way in a result that is there. */
#include "engine/kernel/arena.h"
#include "engine/kernel/result.h"

#include <stdlib.h>

int result_compare(const struct result_key *a, const struct result_key *b)
{
    const uint32_t left[] = {a->window, a->node, a->instance, a->operation, a->metric};
    const uint32_t right[] = {b->window, b->node, b->instance, b->operation, b->metric};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static int compare_cells(const void *left, const void *right)
{
    const struct result_cell *a = left, *b = right;
    return result_compare(&a->key, &b->key);
}

const struct result_cell *result_find(const struct result *result, const struct result_key *key)
{
    const struct result_cell wanted = {.key = *key};
    if (!result->cell_count)
        return NULL;
    return bsearch(&wanted, result->cells, result->cell_count, sizeof wanted, compare_cells);
}

const char *result_label(struct arena *arena, const struct result_node *node, uint32_t instance)
{
    return instance == RESULT_POOLED ? node->name
                                     : arena_format(arena, "%s.%u", node->name, instance);
}

void result_free(struct result *result)
{
    if (!result)
        return;
    arena_free(&result->arena);
    free(result);
}
