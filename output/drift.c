#include "output/drift.h"

#include "output/student.h"

#include <math.h>
#include <string.h>

enum { REPLICATIONS_MIN = 3 };
static const double confidence = 0.999, growth_min = 2, growth_share = 0.1;

/* What adds to what a node holds, and what takes from it: the metrics that every visited kind has.
 */
static const struct {
    const char *name;
    int sign;
} flows[] = {
    {"arrivals", 1}, {"departures", -1}, {"rejected", -1}, {"abandoned", -1}, {"lost", -1}};
enum { FLOWS = sizeof flows / sizeof *flows };

/* The cells of one node, of all its instances and operations, in the first window. */
struct accounts {
    struct result_key keys[FLOWS], inside;
    bool has[FLOWS], has_inside;
};

/* The accounts of the node whose cells begin at *at, which moves on to the next node's. (Cells are
 * in order of window, then of node.) */
static void accounts_find(struct accounts *a, const struct result *result, uint32_t *at)
{
    uint32_t node = result->cells[*at].key.node;
    *a = (struct accounts){.has_inside = false};
    for (; *at < result->cell_count && result->cells[*at].key.node == node; (*at)++) {
        const struct result_cell *c = &result->cells[*at];
        if (c->key.window || c->key.instance != RESULT_POOLED || c->key.operation != RESULT_ALL)
            continue;
        for (int f = 0; f < FLOWS; f++)
            if (!strcmp(c->name, flows[f].name)) {
                a->keys[f] = c->key;
                a->has[f] = true;
            }
        if (!strcmp(c->name, "inside")) {
            a->inside = c->key;
            a->has_inside = true;
        }
    }
}

/* What a node holds more at the end of the window than at its begin, and its mean number inside. */
static double growth_of(const struct accounts *a, const struct result *result, double *inside)
{
    double growth = 0;
    for (int f = 0; f < FLOWS; f++) {
        const struct result_cell *c = a->has[f] ? result_find(result, &a->keys[f]) : NULL;
        growth += c ? flows[f].sign * (double)c->numerator : 0;
    }
    const struct result_cell *c = result_find(result, &a->inside);
    *inside = c && c->denominator ? (double)c->numerator / (double)c->denominator : 0;
    return growth;
}

static bool drifts(const struct accounts *a, const struct result *const *results, uint32_t count)
{
    double mean = 0, squares = 0, inside = 0;
    for (uint32_t r = 0; r < count; r++) {
        double held, growth = growth_of(a, results[r], &held), step = growth - mean;
        mean += step / (r + 1);
        squares += step * (growth - mean);
        inside += held / count;
    }
    double se = sqrt(squares / ((double)count * (count - 1)));
    return fabs(mean) >= growth_min && fabs(mean) >= growth_share * inside &&
           fabs(mean) > student_quantile(confidence, count - 1) * se;
}

bool drift_seen(const struct result *const *results, uint32_t count)
{
    struct accounts a;
    if (count < REPLICATIONS_MIN)
        return false;
    for (uint32_t at = 0; at < results[0]->cell_count && !results[0]->cells[at].key.window;) {
        accounts_find(&a, results[0], &at);
        if (a.has[0] && a.has[1] && a.has_inside && drifts(&a, results, count))
            return true;
    }
    return false;
}
