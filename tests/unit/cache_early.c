/* Copies that are renewed before they expire: in the background behind a share of their life, and
 * by a read at random. */
#include "tests/cached.h"

#include <math.h>

#define READS(arrivals, duration, cache, read)                                                     \
    "orrery: 1\nrun: {warmup: 0s, duration: " duration ", replications: 1}\nnodes:\n"              \
    "  app: {kind: client, arrivals: " arrivals ", keys: uniform(1), to: cache}\n"                 \
    "  cache: {kind: cache, " cache ", to: db}\n"                                                  \
    "  db: {kind: database, slots: 1000, read: " read "}\n"

/* Reads at 0, 50 ms .. 9950 ms. Those of 0 and 50 ms find nothing; the copy
 * of 150 ms is renewed by the read at 950 ms, 800 ms later, that of 1050 ms by the one at 1850 ms,
 * and so on: eleven times up to 9950 ms. */
static void a_copy_is_renewed_before_it_expires(void)
{
    struct played p;
    play(&p, READS("constant(20/s)", "10s", "pattern: refresh_ahead, ttl: 1s", "100ms"), 1);
    CU_ASSERT_EQUAL(p.all, 2 + 11);
    played_free(&p);
}

/* What is not read in the last part of its life expires: reads every 700 ms, lives of 1 s, renewed
 * from 800 ms on. The copy of 10 ms is fresh at 700 ms, when it is too young, and gone at 1400 ms.
 */
static void what_is_not_read_then_expires(void)
{
    CU_ASSERT_EQUAL(
        asked(READS("batches(1 every 700ms)", "9s", "pattern: refresh_ahead, ttl: 1s", "10ms")), 7);
}

/* With beta = 0 it is renewed when it has expired, as ever: reads at 0, 250 ms .., as in the tests
 * of expiry. With a cost of 100 ms and an endless beta every read renews. */
static void beta_tells_how_early(void)
{
    CU_ASSERT_EQUAL(asked(READS("constant(4/s)", "10s",
                                "pattern: read_through, ttl: 1s, "
                                "early_refresh: probabilistic(beta=0)",
                                "100ms")),
                    8);
    CU_ASSERT_EQUAL(asked(READS("constant(4/s)", "10s",
                                "pattern: read_through, ttl: 1s, "
                                "early_refresh: probabilistic(beta=1000 cost=1h)",
                                "100ms")),
                    40);
}

/* Reads at rate r find a copy that lives T and costs d to fetch. One with t left renews it with
 * probability exp(-t / d), so that the rate of renewals grows as r exp(-t / d) and the first comes
 * with more than t left with probability 1 - exp(-r d (exp(-t / d) - exp(-T / d))): its mean time
 * before the expiry is d (ln(r d) + 0.5772 + E1(r d)) (a Gumbel variable, cut at 0). r = 100/s, d =
 * 0.5 s by a declared cost, whose answers take no time: 2.24463 s early, so one question in 10 s
 * - 2.24463 s. Of n = 10,000 questions the standard deviation of a gap is d pi / sqrt(6) = 0.641 s.
 */
static void it_is_as_early_as_worked_out(void)
{
    struct played p;
    play(&p,
         READS("poisson(100/s)", "77500s",
               "pattern: read_through, ttl: 10s, early_refresh: probabilistic(cost=500ms)", "0s"),
         1);
    double gap = 10 - 0.5 * (log(50) + 0.57721566);
    double count = 77500 / gap;
    CU_ASSERT_DOUBLE_EQUAL(77500 / (double)p.all, gap, 4 * 0.6413 / sqrt(count));
    played_free(&p);
}

SUITE("early renewal", TEST(a_copy_is_renewed_before_it_expires),
      TEST(what_is_not_read_then_expires), TEST(beta_tells_how_early),
      TEST(it_is_as_early_as_worked_out))
