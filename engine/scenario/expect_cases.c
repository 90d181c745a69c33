/* The points that a line of `expect` is judged at. */
#include "engine/scenario/expect.h"
#include "engine/scenario/expect_line.h"

#include <stdlib.h>

/* The point that has the choices of `from` but for the assignments of `side`; false where `where`
 * left it out. Points lie in odometer order, so it is found by halving. */
static bool locate(const struct sweep *sweep, uint32_t from, const struct expect_side *side,
                   uint32_t *point)
{
    *point = from;
    if (!side->at_count)
        return true;
    if (!sweep->played) {
        for (uint32_t i = 0; i < side->at_count; i++) {
            const struct sweep_parameter *p = &sweep->parameters[side->at[i].parameter];
            if (!p->written || !condition_equal(p->written, p->values[side->at[i].value].text))
                return false;
        }
        return true;
    }
    uint32_t low = 0, high = sweep->point_count, parameters = sweep->parameter_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2, p = 0;
        int order = 0;
        for (; p < parameters && !order; p++) {
            uint32_t wanted = sweep->choices[(size_t)from * parameters + p];
            for (uint32_t i = 0; i < side->at_count; i++)
                if (side->at[i].parameter == p)
                    wanted = side->at[i].value;
            uint32_t is = sweep->choices[(size_t)middle * parameters + p];
            order = is < wanted ? -1 : is > wanted;
        }
        *point = middle;
        if (!order)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int by_points(const void *a, const void *b)
{
    const struct expect_case *x = a, *y = b;
    if (x->left_point != y->left_point)
        return x->left_point < y->left_point ? -1 : 1;
    return x->right_point < y->right_point ? -1 : x->right_point > y->right_point;
}

/* Without its sweep a scenario may have no value for a swept name: what is written is none of its
 * points. What such a name decides cannot be judged and is left out. */
static bool has_no_value(const void *context, const char *word)
{
    const struct sweep *sweep = context;
    uint32_t parameter = sweep_find(sweep, word);
    return parameter != UINT32_MAX && !sweep->played && !sweep->parameters[parameter].written;
}

void expect_cases(struct expect_list *list, struct expect_line *line, const struct sweep *sweep)
{
    struct arena arena = {0};
    struct expect_case *cases =
        arena_array(list->base->arena, sweep->point_count, struct expect_case);
    uint32_t count = 0, kept = 0;
    bool judged =
        !line->valueless && (!line->when || !condition_mentions(line->when, has_no_value, sweep));
    for (uint32_t p = 0; judged && p < sweep->point_count && !line->failed; p++) {
        struct sweep_names names = {.sweep = sweep, .point = p, .arena = &arena};
        struct condition_names condition_names = sweep_condition_names(&names);
        bool ok = true;
        bool holds = !line->when || condition_holds(line->when, &condition_names, &ok);
        if (line->parameter && sweep->played)
            holds =
                holds && sweep->choices[(size_t)p * sweep->parameter_count + line->parameter - 1] ==
                             line->value;
        line->failed = !ok;
        struct expect_case at;
        if (holds && locate(sweep, p, &line->left, &at.left_point) &&
            locate(sweep, p, &line->right, &at.right_point)) {
            /* A constant stands wherever the metric does, so that no case comes twice. */
            if (!line->right.term.is_metric)
                at.right_point = at.left_point;
            else if (!line->left.term.is_metric)
                at.left_point = at.right_point;
            cases[count++] = at;
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
    if (count)
        qsort(cases, count, sizeof *cases, by_points);
    line->speaks_of = arena_array(list->base->arena, sweep->point_count, uint8_t);
    for (uint32_t i = 0; i < count; i++) {
        if (kept && !by_points(&cases[kept - 1], &cases[i]))
            continue;
        cases[kept++] = cases[i];
        line->speaks_of[cases[i].left_point] |= 1;
        line->speaks_of[cases[i].right_point] |= 2;
    }
    line->expectation.cases = cases;
    line->expectation.case_count = kept;
    line->expectation.skipped = !kept && !sweep->played && sweep->parameter_count;
}
