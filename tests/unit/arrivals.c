#include "engine/kernel/arrivals.h"
#include "tests/oracle.h"
#include "tests/suite.h"

enum { ARRIVALS = 200000 };
#define SECOND INT64_C(1000000000)

static const char *why;

/* Whether a maker said no and why; forgets the sentence. */
static bool refused(bool made)
{
    bool told = why != NULL;
    why = NULL;
    return !made && told;
}

static double exponential_cdf(double x, const void *law)
{
    return gsl_cdf_exponential_P(x, *(const double *)law);
}

static struct arrivals plain(struct arena *arena, const struct arrivals_segment *s)
{
    struct arrivals a = {0};
    CU_ASSERT_FATAL(arrivals_make(&a, arena, s, 1, &why));
    return a;
}

static struct stream stream_of(uint64_t seed)
{
    struct stream s;
    stream_open(&s, seed, 0, "users", "arrivals");
    return s;
}

static void poisson_has_independent_exponential_gaps(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    CU_ASSERT_FATAL(arrivals_make_poisson(&s, 200, 200, &why));
    struct arrivals a = plain(&arena, &s);
    struct arrivals_state state;
    struct stream stream = stream_of(1);
    static double gaps[ARRIVALS];
    arrivals_begin(&a, &state);
    int64_t last = 0;
    for (size_t i = 0; i < ARRIVALS; i++) {
        int64_t at = arrivals_next(&a, &state, &stream);
        CU_ASSERT_FATAL(at >= last);
        gaps[i] = (double)(at - last);
        last = at;
    }
    CU_ASSERT(fabs((double)last / 5e6 / ARRIVALS - 1) < 5 / sqrt(ARRIVALS));
    CU_ASSERT(fabs(oracle_correlation(gaps, gaps + 1, ARRIVALS - 1)) < 5 / sqrt(ARRIVALS));
    double mean = 5e6;
    CU_ASSERT(oracle_ks(gaps, ARRIVALS, exponential_cdf, &mean) < ORACLE_KS_LIMIT);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, SECOND), 200, 1e-9);
    arena_free(&arena);
}

static void constant_is_rounded_once_and_begins_at_zero(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    CU_ASSERT_FATAL(arrivals_make_constant(&s, 300, 300, &why));
    struct arrivals a = plain(&arena, &s);
    struct arrivals_state state;
    struct stream stream = stream_of(1);
    const struct stream before = stream;
    arrivals_begin(&a, &state);
    for (int64_t k = 0; k < 1000000; k++) {
        int64_t want = (2 * k * SECOND + 300) / 600; /* round(k / 300), in integers */
        CU_ASSERT_EQUAL_FATAL(arrivals_next(&a, &state, &stream), want);
    }
    CU_ASSERT(!memcmp(&stream, &before, sizeof stream)); /* draws nothing */
    arena_free(&arena);
}

/* Sizes are geometric with mean 5: a fifth of them is 1, and of the others as many go on beyond. */
static void batches_of_chance_end_after_each_arrival_alike(void)
{
    enum { BATCHES = 100000 };
    struct arena arena = {0};
    struct arrivals_segment s;
    struct distribution gap;
    struct arrivals_state state;
    struct stream stream = stream_of(3);
    distribution_make_constant(&gap, 1e9, &why);
    CU_ASSERT_FATAL(arrivals_make_geometric_batches(&s, 5, &gap, &why));
    struct arrivals a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), 0);
    double sizes[4] = {0}, size = 1, sum = 0;
    for (int64_t batch = 0; batch < BATCHES;) {
        int64_t at = arrivals_next(&a, &state, &stream);
        if (at == batch * SECOND) {
            size++;
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(at, ++batch * SECOND);
        sum += size;
        if (size < 4)
            sizes[(int)size]++;
        size = 1;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / BATCHES, 5, 4 * 4.4721 / 316.2); /* sd: sqrt(m^2 - m) */
    for (int k = 1; k < 4; k++) {
        double p = 0.2 * pow(0.8, k - 1);
        CU_ASSERT_DOUBLE_EQUAL(sizes[k] / BATCHES, p, 4 * sqrt(p * (1 - p) / BATCHES));
    }
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, SECOND), 5, 1e-9);
    CU_ASSERT(refused(arrivals_make_geometric_batches(&s, 0.5, &gap, &why)));
    arena_free(&arena);
}

static void batches_come_together_after_their_gap(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    struct distribution gap;
    struct arrivals_state state;
    struct stream stream = stream_of(3);
    distribution_make_constant(&gap, 1e9, &why);
    CU_ASSERT_FATAL(arrivals_make_batches(&s, 3, &gap, &why));
    struct arrivals a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    for (int64_t k = 0; k < 30; k++)
        CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), k / 3 * SECOND);
    distribution_make_exp(&gap, 1e9, &why);
    CU_ASSERT_FATAL(arrivals_make_batches(&s, 10, &gap, &why));
    a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    static double gaps[ARRIVALS / 10];
    int64_t last = 0;
    for (size_t i = 0; i < ARRIVALS / 10; i++) {
        int64_t at = arrivals_next(&a, &state, &stream);
        for (int k = 1; k < 10; k++)
            CU_ASSERT_EQUAL_FATAL(arrivals_next(&a, &state, &stream), at);
        gaps[i] = (double)(at - last);
        last = at;
    }
    CU_ASSERT(gaps[0] > 0); /* one gap first */
    double mean = 1e9;
    CU_ASSERT(oracle_ks(gaps, ARRIVALS / 10, exponential_cdf, &mean) < ORACLE_KS_LIMIT);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, SECOND), 10, 1e-9);
    arena_free(&arena);
}

/* Counts over [0, t): with m the mean of the rates, d the half of their difference and g = 2/hold,
 * E N = m t - d (1 - e^(-g t)) / g from the lower state, and Var N = E N + the variance of the
 * integrated rate, that of a telegraph signal with correlation e^(-g |t|). */
static void mmpp_begins_in_its_first_state_and_keeps_each_as_long(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    CU_ASSERT_FATAL(arrivals_make_mmpp(&s, 100, 1000, 10e9, &why));
    struct arrivals a = plain(&arena, &s);
    enum { RUNS = 4000 };
    double early = 0, late = 0, squares = 0;
    for (uint64_t r = 0; r < RUNS; r++) {
        struct arrivals_state state;
        struct stream stream = stream_of(r);
        arrivals_begin(&a, &state);
        double count = 0;
        int64_t last = 0;
        for (;;) {
            int64_t at = arrivals_next(&a, &state, &stream);
            CU_ASSERT_FATAL(at >= last);
            last = at;
            if (at >= 20 * SECOND)
                break;
            early += at < SECOND;
            count++;
        }
        late += count;
        squares += count * count;
    }
    double g = 0.2, want_early = 550 * 1 - 450 * (1 - exp(-g)) / g;
    double want_late = 550 * 20 - 450 * (1 - exp(-20 * g)) / g;
    double variance = squares / RUNS - late / RUNS * (late / RUNS);
    CU_ASSERT(fabs(late / RUNS - want_late) < 5 * sqrt(variance / RUNS));
    CU_ASSERT(fabs(early / RUNS - want_early) < 0.1 * want_early);
    double d = 450, t = 20, e = exp(-g * t);
    double telegraph = d * d * (2 * t / g - (2 / (g * g)) * (1 - e));
    double shift = d * (1 - e) / g;
    CU_ASSERT(fabs(variance / (want_late + telegraph - shift * shift) - 1) < 0.15);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, SECOND), 550, 1e-9);
    arena_free(&arena);
}

static void trace_plays_the_recorded_times_and_ends(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    const int64_t times[] = {0, 5, 5, 4000000000};
    CU_ASSERT_FATAL(arrivals_make_trace(&s, &arena, times, 4, &why));
    struct arrivals a = plain(&arena, &s);
    struct arrivals_state state;
    struct stream stream = stream_of(1);
    arrivals_begin(&a, &state);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), times[i]);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, SECOND), 3, 1e-12);
    arena_free(&arena);
}

/* [10s poisson(100/s), 20s..30s poisson(100/s..1k/s), 40s poisson(50/s)]: the ramp's last rate
 * holds from 30 s to 40 s. */
static void profile_has_the_right_counts_and_shape_in_every_segment(void)
{
    struct arena arena = {0};
    struct arrivals_segment s[3];
    struct arrivals a;
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[0], 100, 100, &why));
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[1], 100, 1000, &why));
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[2], 50, 50, &why));
    s[0].start_ns = 10 * SECOND;
    s[1].start_ns = 20 * SECOND;
    s[1].ramp_end_ns = 30 * SECOND;
    s[2].start_ns = 40 * SECOND;
    CU_ASSERT_FATAL(arrivals_make(&a, &arena, s, 3, &why));
    enum { RUNS = 200, CELLS = 50 };
    static double seen[CELLS], wanted[CELLS];
    memset(seen, 0, sizeof seen);
    for (uint64_t r = 0; r < RUNS; r++) {
        struct arrivals_state state;
        struct stream stream = stream_of(r);
        arrivals_begin(&a, &state);
        int64_t last = 0, at;
        while ((at = arrivals_next(&a, &state, &stream)) < CELLS * SECOND) {
            CU_ASSERT_FATAL(at >= last && at >= 10 * SECOND);
            seen[at / SECOND]++;
            last = at;
        }
    }
    for (int i = 0; i < CELLS; i++) {
        double rate = i < 10   ? 0
                      : i < 20 ? 100
                      : i < 30 ? 100 + 90 * (i - 20 + 0.5)
                      : i < 40 ? 1000
                               : 50;
        wanted[i] = rate * RUNS;
        CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, i * SECOND, (i + 1) * SECOND), rate, 1e-9);
    }
    CU_ASSERT(oracle_chi_square(seen + 10, wanted + 10, CELLS - 10) > 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(arrivals_mean_rate(&a, 0, 50 * SECOND), 17000 / 50.0, 1e-9);
    arena_free(&arena);
}

/* Inversion, not thinning: the i-th arrival of every profile hangs on the i-th draw alone, and lies
 * where the integrated rate reaches the sum of the draws. */
static void every_poisson_profile_spends_one_draw_an_arrival(void)
{
    struct arena arena = {0};
    struct arrivals_segment s[3];
    struct arrivals a;
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[0], 0, 10, &why));
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[1], 0, 0, &why));
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[2], 7, 7, &why));
    s[0].ramp_end_ns = 5 * SECOND;
    s[1].start_ns = 6 * SECOND;
    s[2].start_ns = 9 * SECOND;
    CU_ASSERT_FATAL(arrivals_make(&a, &arena, s, 3, &why));
    struct arrivals_state state;
    struct stream stream = stream_of(9), twin = stream_of(9);
    arrivals_begin(&a, &state);
    double mass = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t at = arrivals_next(&a, &state, &stream);
        mass += random_exponential(stream_next(&twin));
        double t = (double)at * 1e-9, reached;
        reached = t < 5 ? t * t : t < 6 ? 25 + 10 * (t - 5) : 35 + 7 * (t - 9);
        CU_ASSERT_FATAL(t < 6 || t >= 9);
        CU_ASSERT_DOUBLE_EQUAL_FATAL(reached, mass, 1e-7);
        CU_ASSERT_FATAL(!memcmp(&stream, &twin, sizeof stream));
    }
    arena_free(&arena);
}

/* [0s constant(0/s..10/s) ramp to 10s, 20s constant(2/s)]: the k-th where t^2/2 = k. */
static void constant_profile_switches_exactly_at_the_start(void)
{
    struct arena arena = {0};
    struct arrivals_segment s[2];
    struct arrivals a;
    CU_ASSERT_FATAL(arrivals_make_constant(&s[0], 0, 10, &why));
    CU_ASSERT_FATAL(arrivals_make_constant(&s[1], 2, 2, &why));
    s[0].ramp_end_ns = 10 * SECOND;
    s[1].start_ns = 20 * SECOND;
    CU_ASSERT_FATAL(arrivals_make(&a, &arena, s, 2, &why));
    struct arrivals_state state;
    struct stream stream = stream_of(1);
    arrivals_begin(&a, &state);
    for (int k = 0; k < 150; k++) {
        double want = k < 50 ? sqrt(2.0 * k) : 10 + (k - 50) / 10.0;
        CU_ASSERT(llabs(arrivals_next(&a, &state, &stream) - llround(want * 1e9)) <= 1);
    }
    for (int64_t k = 0; k < 10; k++)
        CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), 20 * SECOND + k * SECOND / 2);
    arena_free(&arena);
}

static void nothing_arrives_at_rate_zero_or_from_nothing(void)
{
    struct arena arena = {0};
    struct arrivals_segment s;
    struct arrivals a = {0};
    struct arrivals_state state;
    struct stream stream = stream_of(1);
    arrivals_begin(&a, &state);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    CU_ASSERT_FATAL(arrivals_make_poisson(&s, 0, 0, &why));
    a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    CU_ASSERT_FATAL(arrivals_make_constant(&s, 0, 0, &why));
    a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    CU_ASSERT_FATAL(arrivals_make_mmpp(&s, 0, 0, 1e9, &why));
    a = plain(&arena, &s);
    arrivals_begin(&a, &state);
    CU_ASSERT_EQUAL(arrivals_next(&a, &state, &stream), ARRIVALS_NEVER);
    arena_free(&arena);
}

static void impossible_processes_are_refused_with_a_sentence(void)
{
    why = NULL;
    struct arena arena = {0};
    struct arrivals a = {.count = 42};
    struct arrivals_segment s = {.batch = 42}, two[2];
    struct distribution zero = {0};
    const int64_t back[] = {5, 4};
    CU_ASSERT(refused(arrivals_make_poisson(&s, -1, -1, &why)));
    CU_ASSERT(refused(arrivals_make_constant(&s, NAN, NAN, &why)));
    CU_ASSERT(refused(arrivals_make_batches(&s, 0, &zero, &why)));
    CU_ASSERT(refused(arrivals_make_batches(&s, 1, &zero, &why)));
    CU_ASSERT(refused(arrivals_make_mmpp(&s, 1, 2, 0, &why)));
    CU_ASSERT(refused(arrivals_make_trace(&s, &arena, back, 2, &why)));
    CU_ASSERT_EQUAL(s.batch, 42);
    CU_ASSERT(refused(arrivals_make(&a, &arena, two, 0, &why)));
    CU_ASSERT_FATAL(arrivals_make_poisson(&two[0], 1, 2, &why));
    CU_ASSERT_FATAL(arrivals_make_poisson(&two[1], 1, 1, &why));
    CU_ASSERT(refused(arrivals_make(&a, &arena, two, 2, &why))); /* both start at 0 */
    two[1].start_ns = SECOND;
    CU_ASSERT(refused(arrivals_make(&a, &arena, two, 2, &why))); /* a..b without a span */
    two[0].ramp_end_ns = 2 * SECOND;
    CU_ASSERT(refused(arrivals_make(&a, &arena, two, 2, &why))); /* the ramp outlasts its item */
    two[0].ramp_end_ns = SECOND;
    CU_ASSERT(arrivals_make(&a, &arena, two, 2, &why));
    arena_free(&arena);
}

/* Under a load the k-th arrival comes where the integral of rate times factor reaches what it
 * reached without: twice as fast everywhere is half the time; over a ramp and two items, with
 * changes in both, by the inverse of the integral; the stream gives the same draws. */
static void a_load_changes_the_time_of_a_process(void)
{
    static const int64_t at[] = {0, 2 * SECOND, 5 * SECOND, 12 * SECOND};
    static const double factor[] = {2, 1, 3, 0.5};
    struct arena arena = {0};
    struct arrivals_segment s[2];
    struct load twice = {at, factor, 1}, many = {at, factor, 4};
    struct arrivals_state plainly, loaded;
    struct stream one = stream_of(7), other = stream_of(7);
    CU_ASSERT_FATAL(arrivals_make_poisson(&s[0], 200, 200, &why));
    struct arrivals a = plain(&arena, &s[0]);
    arrivals_begin(&a, &plainly);
    arrivals_begin(&a, &loaded);
    arrivals_load(&loaded, &twice);
    for (int i = 0; i < 1000; i++) {
        int64_t base = arrivals_next(&a, &plainly, &one);
        int64_t fast = arrivals_next(&a, &loaded, &other);
        CU_ASSERT(2 * fast - base <= 2 && base - 2 * fast <= 2);
    }
    /* 100/s to 300/s within 10 s, then 50/s from 10 s on: 2 (100 t + 10 t^2) up to 2 s, and so on:
     * 480 at 2 s, 480 + 510 at 5 s, 990 + 3 x 1,250 at 10 s, then 150/s up to 12 s, then 25/s. */
    CU_ASSERT_FATAL(arrivals_make_constant(&s[0], 100, 300, &why));
    s[0].start_ns = 0;
    s[0].ramp_end_ns = 10 * SECOND;
    CU_ASSERT_FATAL(arrivals_make_constant(&s[1], 50, 50, &why));
    s[1].start_ns = 10 * SECOND;
    CU_ASSERT_FATAL(arrivals_make(&a, &arena, s, 2, &why));
    arrivals_begin(&a, &loaded);
    arrivals_load(&loaded, &many);
    uint64_t before[5] = {0};
    static const int64_t border[] = {2 * SECOND, 5 * SECOND, 10 * SECOND, 12 * SECOND, 16 * SECOND};
    for (int64_t now = 0; now < 16 * SECOND;) {
        now = arrivals_next(&a, &loaded, &other);
        for (int i = 0; i < 5; i++)
            before[i] += now < border[i];
    }
    CU_ASSERT_EQUAL(before[0], 480);
    CU_ASSERT_EQUAL(before[1], 990);
    CU_ASSERT_EQUAL(before[2], 990 + 3750);
    CU_ASSERT_EQUAL(before[3], 990 + 3750 + 300);
    CU_ASSERT_EQUAL(before[4], 990 + 3750 + 300 + 100);
    arena_free(&arena);
}

SUITE("arrivals", TEST(poisson_has_independent_exponential_gaps),
      TEST(constant_is_rounded_once_and_begins_at_zero),
      TEST(batches_come_together_after_their_gap),
      TEST(batches_of_chance_end_after_each_arrival_alike),
      TEST(mmpp_begins_in_its_first_state_and_keeps_each_as_long),
      TEST(trace_plays_the_recorded_times_and_ends),
      TEST(profile_has_the_right_counts_and_shape_in_every_segment),
      TEST(every_poisson_profile_spends_one_draw_an_arrival),
      TEST(constant_profile_switches_exactly_at_the_start),
      TEST(nothing_arrives_at_rate_zero_or_from_nothing),
      TEST(impossible_processes_are_refused_with_a_sentence),
      TEST(a_load_changes_the_time_of_a_process))
