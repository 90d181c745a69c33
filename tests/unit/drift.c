/* Drift: what a node takes in and lets out over the window, on made-up accounts. */
#include "output/drift.h"
#include "tests/suite.h"

enum { R = 10, CELLS = 6 };

/* Two nodes, the first of them in balance. `in` and `out` are the second one's by replication, all
 * that it lets out dealt over the ways in which a visit can end. */
static bool seen(const int *in, const int *out, int inside, uint32_t count)
{
    static const char *const names[CELLS] = {"arrivals",  "departures", "rejected",
                                             "abandoned", "lost",       "inside"};
    static struct result_cell cells[R][2 * CELLS];
    static struct result results[R];
    const struct result *list[R];
    for (uint32_t r = 0; r < count; r++) {
        for (uint32_t i = 0; i < 2 * CELLS; i++) {
            uint32_t node = i / CELLS, metric = i % CELLS;
            int64_t left = node ? out[r] : 100;
            int64_t value = metric == 0   ? (node ? in[r] : 100)
                            : metric == 1 ? left - left / 2
                            : metric == 2 ? left / 2 - left / 4
                            : metric == 3 ? left / 4 - left / 8
                            : metric == 4 ? left / 8
                                          : inside;
            cells[r][i] = (struct result_cell){.key = {.node = node, .metric = metric},
                                               .name = names[metric],
                                               .numerator = value,
                                               .denominator = 1};
        }
        results[r] = (struct result){.cells = cells[r], .cell_count = 2 * CELLS};
        list[r] = &results[r];
    }
    return drift_seen(list, count);
}

static const int in[R] = {1000, 1010, 990, 1005, 1001, 995, 1003, 998, 1007, 991};

static void what_grows_in_every_run_drifts(void)
{
    int out[R];
    for (int r = 0; r < R; r++)
        out[r] = 900 + r;
    CU_ASSERT(seen(in, out, 50, R));
    for (int r = 0; r < R; r++)
        out[r] = 1100 + r;
    CU_ASSERT(seen(in, out, 50, R)); /* what drains, too */
    CU_ASSERT_FALSE(seen(in, out, 50, 2));
}

static void what_goes_up_and_down_by_chance_does_not(void)
{
    int out[R];
    for (int r = 0; r < R; r++)
        out[r] = in[r] - (r % 2 ? 31 : -29);
    CU_ASSERT_FALSE(seen(in, out, 5, R));
    for (int r = 0; r < R; r++)
        out[r] = in[r];
    CU_ASSERT_FALSE(seen(in, out, 0, R));
}

static void a_request_more_or_less_is_no_drift(void)
{
    int out[R];
    for (int r = 0; r < R; r++)
        out[r] = in[r] - 1; /* the edges of the window, in a system without chance */
    CU_ASSERT_FALSE(seen(in, out, 0, R));
    for (int r = 0; r < R; r++)
        out[r] = in[r] - 10;
    CU_ASSERT_FALSE(seen(in, out, 1000, R)); /* a hundredth of what is inside */
    CU_ASSERT(seen(in, out, 100, R));
}

SUITE("drift", TEST(what_grows_in_every_run_drifts), TEST(what_goes_up_and_down_by_chance_does_not),
      TEST(a_request_more_or_less_is_no_drift))
