/* Every action of a fault, written as a user writes it and worked out by hand: when each operation
 * begins, ends, and how. Operations begin every 100 ms from time 0 on; a message takes 1 ms, the
 * work 50 ms, so an undisturbed one ends 52 ms after its begin. */
#include "engine/kernel/simulation.h"
#include "models/client.h"
#include "tests/scenario.h"

#define MICROSECOND INT64_C(1000)
#define NODES                                                                                      \
    "orrery: 1\n"                                                                                  \
    "run: {warmup: 0s, duration: 1s}\n"                                                            \
    "nodes:\n"                                                                                     \
    "  users: {kind: client, arrivals: constant(10/s), to: desk, timeout: 10s}\n"                  \
    "  desk: {kind: service, time: 50ms}\n"
#define SIMPLE NODES "links: {default: {latency: 1ms, give_up: 100ms}}\n"

enum { ENDED_MAX = 128 };

struct ended {
    int64_t begun_ns, at_ns;
    uint8_t status;
};

struct play {
    struct loaded loaded;
    struct probe probe;
    struct simulation *s;
    struct ended ended[ENDED_MAX];
    uint32_t count;
};

static void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct play *p = context;
    if (p->count < ENDED_MAX)
        p->ended[p->count++] =
            (struct ended){c->arrived_ns, simulation_now(at->simulation), c->status};
}

static void play_begin(struct play *p, const char *text)
{
    memset(p, 0, sizeof *p);
    p->loaded = load(text, false);
    if (!p->loaded.scenario)
        diagnostic_print(p->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->loaded.scenario);
    p->probe = (struct probe){.context = p, .complete = on_complete};
    struct simulation_options options = {.probe = &p->probe};
    p->s = simulation_create(p->loaded.blueprint, 1, 1, &options);
    simulation_start(p->s);
}

static void play(struct play *p, const char *text)
{
    play_begin(p, text);
    simulation_advance(p->s, 3 * SECOND);
}

static void play_end(struct play *p)
{
    simulation_free(p->s);
    loaded_free(&p->loaded);
}

/* Whether the operation that began then ended so, then; in microseconds. */
static bool ends(const struct play *p, int64_t begun_us, enum status status, int64_t at_us)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->ended[i].begun_ns == begun_us * MICROSECOND)
            return p->ended[i].status == status && p->ended[i].at_ns == at_us * MICROSECOND;
    return false;
}

/* And all of those that begin at `from`, `from` + 100 ms .. before `to` end ok after `stay`. */
static bool all_end_ok(const struct play *p, int64_t from_us, int64_t to_us, int64_t stay_us)
{
    for (int64_t at = from_us; at < to_us; at += 100000)
        if (!ends(p, at, STATUS_OK, at + stay_us))
            return false;
    return true;
}

static struct agent *agent_named(const struct play *p, const char *name)
{
    for (uint32_t i = 0; i < p->s->agent_count; i++)
        if (!strcmp(p->s->agents[i].name, name))
            return &p->s->agents[i];
    return NULL;
}

static int64_t up_until(const struct play *p, int64_t at_ns)
{
    struct level *level = agent_named(p, "desk")->records[VISITS]->levels[VISIT_UP_COUNT];
    level_touch(level, at_ns);
    return (int64_t)level->integral;
}

/* ---- crash and restart ---- */

/* Down in [130 ms, 250 ms): the one of 100 ms is inside, the one of 200 ms comes meanwhile. */
static void a_crash_is_silence_unless_it_answers_with_a_reset(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 130ms, for: 120ms, crash: desk}]\n");
    CU_ASSERT(ends(&p, 0, STATUS_OK, 52000));
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 230000));
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 301000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    CU_ASSERT_EQUAL(up_until(&p, SECOND), 880 * MILLISECOND);
    play_end(&p);
    play(&p, SIMPLE "faults: [{at: 130ms, for: 120ms, crash: desk, crash_answer: reset}]\n");
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 131000));
    CU_ASSERT(ends(&p, 200000, STATUS_FAIL, 202000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
}

/* Two crashes, [130, 250) and [200, 450): down until the last one ends. With a restart at 280 ms
 * up from there on, and the end of the second crash is nobody's. */
static void crashes_overlap_and_a_restart_ends_them_all(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 130ms, for: 120ms, crash: desk}\n"
                    "  - {at: 200ms, for: 250ms, crash: desk}\n");
    CU_ASSERT_EQUAL(up_until(&p, SECOND), 680 * MILLISECOND);
    CU_ASSERT(ends(&p, 400000, STATUS_INFO, 501000));
    CU_ASSERT(all_end_ok(&p, 500000, 1000000, 52000));
    play_end(&p);
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 130ms, for: 120ms, crash: desk}\n"
                    "  - {at: 200ms, for: 250ms, crash: desk}\n"
                    "  - {at: 280ms, restart: desk}\n");
    CU_ASSERT_EQUAL(up_until(&p, SECOND), 850 * MILLISECOND);
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
}

/* What is up comes back at once, without what it held. */
static void a_restart_of_what_is_up_loses_what_is_inside(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 130ms, restart: desk}]\n");
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 230000));
    CU_ASSERT(all_end_ok(&p, 200000, 1000000, 52000));
    CU_ASSERT_EQUAL(up_until(&p, SECOND), SECOND);
    CU_ASSERT_EQUAL(agent_named(&p, "desk")->place->incarnation, 1);
    play_end(&p);
}

/* One crash ends at the instant at which the next begins, and at which a request comes in. */
static void an_end_comes_before_a_begin_and_both_before_everything_else(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 201ms, for: 100ms, crash: desk}\n"
                    "  - {at: 101ms, for: 100ms, crash: desk}\n");
    CU_ASSERT_EQUAL(agent_named(&p, "desk")->place->incarnation, 2);
    CU_ASSERT_EQUAL(up_until(&p, SECOND), 800 * MILLISECOND);
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 201000));
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 301000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
}

/* ---- pause, slow ---- */

/* Paused in [120, 160) and [140, 300): the first stands still for 180 ms, the second waits before
 * the door until 300 ms and then for the first, the third for the second. */
static void pauses_overlap_and_keep_everything(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 120ms, for: 40ms, pause: desk}\n"
                    "  - {at: 140ms, for: 160ms, pause: desk}\n");
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 332000));
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 382000));
    CU_ASSERT(ends(&p, 300000, STATUS_OK, 432000));
    CU_ASSERT(ends(&p, 400000, STATUS_OK, 482000));
    CU_ASSERT(all_end_ok(&p, 500000, 1000000, 52000));
    play_end(&p);
}

/* A crash at 150 ms takes the paused process away; the one that comes back at 170 ms runs, and the
 * end of the pause does nothing to it, nor to a pause that has struck the new process. */
static void a_crash_ends_the_pause_of_its_process(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 120ms, for: 300ms, pause: desk}\n"
                    "  - {at: 150ms, for: 20ms, crash: desk}\n"
                    "  - {at: 410ms, for: 30ms, pause: desk}\n");
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 250000));
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 252000));
    CU_ASSERT(ends(&p, 400000, STATUS_OK, 482000));
    CU_ASSERT(all_end_ok(&p, 500000, 1000000, 52000));
    play_end(&p);
}

/* Twice as slow from 121 ms on, eight times from 131 ms to 171 ms: of 50 ms of work 20 are done by
 * 121 ms, 5 more by 131 ms, 5 more by 171 ms, and the other 20 take 40 ms. */
static void slownesses_multiply(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 121ms, for: 200ms, slow: desk, by: x2}\n"
                    "  - {at: 131ms, for: 40ms, slow: desk, by: x4}\n");
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 212000));
    CU_ASSERT(all_end_ok(&p, 400000, 1000000, 52000));
    play_end(&p);
}

/* ---- partitions ---- */

/* Cut in [200.5 ms, 351 ms): the request of 200 ms is under way, that of 300 ms is sent meanwhile;
 * the answer of the one of 300 ms would have been sent at 351 ms, when all is well again. */
static void a_partition_loses_what_is_under_way_and_what_is_sent(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 200500us, for: 150500us, partition: users | desk}]\n");
    CU_ASSERT(all_end_ok(&p, 0, 200000, 52000));
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 300500));
    CU_ASSERT(ends(&p, 300000, STATUS_INFO, 400000));
    CU_ASSERT(all_end_ok(&p, 400000, 1000000, 52000));
    play_end(&p);
}

/* Only answers are cut: the work of 200 ms is done, and nobody learns of it. */
static void a_partition_can_be_one_way(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 210ms, for: 100ms, partition: desk -> users}]\n");
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 351000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    CU_ASSERT_EQUAL(agent_named(&p, "desk")->records[VISITS]->counts[VISIT_DEPARTURES], 10);
    play_end(&p);
}

/* Links that are used for the first time while they are cut; both partitions must end. */
static void partitions_overlap_on_links_that_are_new(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 0s, for: 150ms, partition: users | desk}\n"
                    "  - {at: 50ms, for: 200ms, partition: desk}\n");
    CU_ASSERT(ends(&p, 0, STATUS_INFO, 100000));
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 200000));
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 300000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
}

/* Without any link that has a property, messages travel over none; a partition cuts all the same.
 */
static void a_partition_cuts_links_without_any_property(void)
{
    struct play p;
    play(&p, NODES "faults: [{at: 210ms, for: 100ms, partition: desk -> users}]\n");
    CU_ASSERT(all_end_ok(&p, 0, 200000, 50000));
    simulation_advance(p.s, 11 * SECOND);
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 10200000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 50000));
    play_end(&p);
}

#define ZONED                                                                                      \
    "orrery: 1\n"                                                                                  \
    "run: {warmup: 0s, duration: 1s}\n"                                                            \
    "nodes:\n"                                                                                     \
    "  users: {kind: client, arrivals: constant(10/s), to: lb, timeout: 10s}\n"                    \
    "  lb: {kind: load_balancer, to: desk}\n"                                                      \
    "  desk: {kind: service, count: 2, time: 50ms, zone: each(a b)}\n"                             \
    "links: {default: {latency: 1ms, give_up: 20ms}}\n"

/* Round robin from desk.1 on: even operations go to zone a, odd ones to zone b. */
static void zones_are_cut_and_go_down(void)
{
    struct play p;
    play(&p, ZONED "faults: [{at: 195ms, for: 200ms, partition: zone a}]\n");
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 222000));
    CU_ASSERT(ends(&p, 300000, STATUS_OK, 354000));
    CU_ASSERT(all_end_ok(&p, 400000, 1000000, 54000));
    play_end(&p);
    play(&p, ZONED "faults: [{at: 195ms, for: 200ms, partition: a | lb, clients: with lb}]\n");
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 222000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 54000));
    play_end(&p);
    play(&p, ZONED "faults: [{at: 195ms, for: 200ms, partition: a | lb, clients: with desk.1}]\n");
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 220000)); /* the client does not reach the balancer */
    CU_ASSERT(ends(&p, 300000, STATUS_INFO, 320000));
    play_end(&p);
}

/* ---- links ---- */

/* From 95 ms to 355 ms 30 ms more each way; the answer to the operation of 300 ms is sent at 381 ms
 * and takes 1 ms. */
static void a_delay_adds_to_every_message(void)
{
    struct play p;
    play(&p, SIMPLE "faults:\n"
                    "  - {at: 95ms, for: 260ms, delay: default, by: 20ms}\n"
                    "  - {at: 95ms, for: 260ms, delay: users, by: 10ms}\n");
    CU_ASSERT(ends(&p, 0, STATUS_OK, 52000));
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 212000));
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 312000));
    CU_ASSERT(ends(&p, 300000, STATUS_OK, 382000));
    CU_ASSERT(all_end_ok(&p, 400000, 1000000, 52000));
    play_end(&p);
}

#define THIN                                                                                       \
    "orrery: 1\n"                                                                                  \
    "run: {warmup: 0s, duration: 1s}\n"                                                            \
    "nodes:\n"                                                                                     \
    "  users: {kind: client, arrivals: constant(10/s), operations: {write: 100%}, sizes: 1250B,"   \
    " to: desk, timeout: 10s}\n"                                                                   \
    "  desk: {kind: service, time: 50ms}\n"

/* 1,250 B at 1 Mbit/s take 10 ms; three times as slow 30 ms, and 1 ms becomes 3 ms. */
static void a_slow_link_has_more_latency_and_less_bandwidth(void)
{
    struct play p;
    play(&p, THIN "links: {users -> desk: {latency: 1ms, bandwidth: 1Mbit/s}}\n"
                  "faults: [{at: 95ms, for: 100ms, slow: users <-> desk, by: x3}]\n");
    CU_ASSERT(ends(&p, 0, STATUS_OK, 61000));
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 183000));
    CU_ASSERT(all_end_ok(&p, 200000, 1000000, 61000));
    play_end(&p);
}

/* At 50 kbit/s a message takes 200 ms of the line, twice as long as the time between two. One may
 * wait: the one of 300 ms finds one on the line and one that waits. */
static void a_full_queue_before_the_bandwidth_drops(void)
{
    struct play p;
    play(&p, THIN "links: {users -> desk: {bandwidth: 50kbit/s, queue: 1, give_up: 10ms}}\n");
    CU_ASSERT(ends(&p, 0, STATUS_OK, 250000));
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 450000));
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 650000)); /* the one of 0 ms has just left */
    CU_ASSERT(ends(&p, 300000, STATUS_INFO, 310000));
    CU_ASSERT(ends(&p, 400000, STATUS_OK, 850000));
    CU_ASSERT(ends(&p, 500000, STATUS_INFO, 510000));
    play_end(&p);
}

/* Certain losses, certain copies, certain overtaking. */
static void losses_copies_and_overtaking_are_on_top_of_the_links_own(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 195ms, for: 100ms, loss: users -> desk, by: 100%}]\n");
    CU_ASSERT(all_end_ok(&p, 0, 200000, 52000));
    CU_ASSERT(ends(&p, 200000, STATUS_INFO, 300000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
    play(&p, SIMPLE "faults: [{at: 195ms, for: 10ms, duplicate: users -> desk, by: 100%}]\n");
    CU_ASSERT(all_end_ok(&p, 0, 300000, 52000));
    CU_ASSERT(ends(&p, 300000, STATUS_OK, 352000)); /* the copy's work is done by 301 ms */
    CU_ASSERT_EQUAL(simulation_totals(p.s).duplicated, 1);
    play_end(&p);
    play(&p, SIMPLE "faults: [{at: 195ms, for: 10ms, reorder: users -> desk, by: 100%}]\n");
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 253000));
    CU_ASSERT(all_end_ok(&p, 300000, 1000000, 52000));
    play_end(&p);
}

/* What is sent in [100 ms, 455 ms) comes at its end, in the order of sending: three requests, which
 * the desk works on one after the other. What was under way - the answer sent at 51 ms of one - is
 * not held. */
static void a_hold_keeps_messages_and_their_order(void)
{
    struct play p;
    play(&p, SIMPLE "faults: [{at: 51500us, for: 403500us, hold: users <-> desk}]\n");
    CU_ASSERT(ends(&p, 0, STATUS_OK, 52000));
    CU_ASSERT(ends(&p, 100000, STATUS_OK, 506000));
    CU_ASSERT(ends(&p, 200000, STATUS_OK, 556000));
    CU_ASSERT(ends(&p, 300000, STATUS_OK, 606000));
    CU_ASSERT(ends(&p, 400000, STATUS_OK, 656000));
    CU_ASSERT(ends(&p, 500000, STATUS_OK, 706000));
    play_end(&p);
    play(&p, SIMPLE "faults: [{at: 90ms, hold: users <-> desk}]\n"); /* for ever: it is lost */
    CU_ASSERT(ends(&p, 100000, STATUS_INFO, 200000));
    play_end(&p);
}

/* ---- stream ---- */

/* A time-out is 200 ms and a round trip of 2 ms: a message comes after 1 ms and 0, 202, 606,
 * 1,414 .. ms: k losses with probability p^k (1 - p); 5 sigma of 20,000. */
static void a_stream_sends_again_what_is_lost(void)
{
    struct loaded l = load("orrery: 1\n"
                           "run: {warmup: 0s, duration: 1000s}\n"
                           "nodes:\n"
                           "  users: {kind: client, arrivals: constant(20/s), to: desk}\n"
                           "  desk: {kind: service, slots: 1000}\n"
                           "links: {users -> desk: {latency: 1ms, loss: 20%, transport: stream,"
                           " duplicate: 50%, reorder: 50%}}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    static struct play p;
    memset(&p, 0, sizeof p);
    struct simulation *s = simulation_create(l.blueprint, 3, 1, NULL);
    CU_ASSERT(simulation_run(s, NULL));
    const struct record *r = s->agents[1].records[0];
    const struct moments *m = &r->tallies[CLIENT_LATENCY].moments;
    CU_ASSERT_EQUAL(m->count, 20000);
    CU_ASSERT_EQUAL(m->min, MILLISECOND);
    /* The mean of 202 (2^K - 1) ms, K geometric: 202 p / (1 - 2p) = 67.33; its variance follows
     * from E 4^K = (1 - p) / (1 - 4p) = 4: 202^2 (4 - (4/3)^2) = 301^2. */
    double mean = (double)m->sum / 20000 / 1e6;
    CU_ASSERT(mean > 68.33 - 5 * 301 / 141.4 && mean < 68.33 + 5 * 301 / 141.4);
    int64_t waits[] = {0, 202, 606, 1414, 3030, 6262, 12726, 25654, 51510};
    bool known = false;
    for (size_t k = 0; k < sizeof waits / sizeof *waits; k++)
        known = known || m->max == (1 + waits[k]) * MILLISECOND;
    CU_ASSERT(known);
    CU_ASSERT_EQUAL(simulation_totals(s).duplicated, 0);
    simulation_free(s);
    loaded_free(&l);
    play(&p, NODES "links: {users -> desk: {latency: 1ms, loss: 100%, transport: stream,"
                   " give_up: 700ms}}\n");
    CU_ASSERT(ends(&p, 0, STATUS_INFO, 700000));
    play_end(&p);
}

/* ---- clocks ---- */

static int64_t wall_ahead(struct play *p, int64_t at_ns)
{
    struct event event;
    simulation_advance(p->s, at_ns);
    event_push(&p->s->queue, at_ns, 255, 0, 0);
    CHECK(event_pop(&p->s->queue, &event, at_ns) && event.type == 255);
    return clock_wall(agent_named(p, "desk")) - at_ns;
}

static void clocks_jump_drift_and_strobe(void)
{
    struct play p;
    play_begin(&p, SIMPLE "faults:\n"
                          "  - {at: 100ms, for: 200ms, clock: desk, by: -500ms}\n"
                          "  - {at: 400ms, for: 100ms, clock: desk, by: 200ppm}\n"
                          "  - {at: 400ms, for: 50ms, clock: desk, by: 100ppm}\n"
                          "  - {at: 600ms, for: 25ms, clock: desk, by: strobe(30ms period=10ms)}\n"
                          "  - {at: 700ms, clock: desk, by: 7ms}\n");
    CU_ASSERT_EQUAL(wall_ahead(&p, 50 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(wall_ahead(&p, 150 * MILLISECOND), -500 * MILLISECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 350 * MILLISECOND), 0);
    CU_ASSERT_EQUAL(wall_ahead(&p, 450 * MILLISECOND), 15 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 550 * MILLISECOND), 25 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 605 * MILLISECOND), 30025 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 615 * MILLISECOND), 25 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 622 * MILLISECOND), 30025 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 650 * MILLISECOND), 25 * MICROSECOND);
    CU_ASSERT_EQUAL(wall_ahead(&p, 2000 * MILLISECOND), 7025 * MICROSECOND);
    CU_ASSERT_EQUAL(clock_steady(agent_named(&p, "desk")) - 2 * SECOND, 25 * MICROSECOND);
    play_end(&p);
}

/* ---- load ---- */

#define QUICK                                                                                      \
    "orrery: 1\n"                                                                                  \
    "run: {warmup: 0s, duration: 1s}\n"                                                            \
    "nodes:\n"                                                                                     \
    "  desk: {kind: service, slots: 100, time: 10ms}\n"

/* Every 100 ms; five times as many in [250 ms, 450 ms): the rate's integral reaches k at 100 k ms
 * up to 250 ms, then 20 ms apart: 260, 280 .. 440 ms is the 13th, and 12.5 at 450 ms; from there
 * 100 ms apart again: 13 at 500 ms. */
static void a_load_multiplies_the_rate_of_an_open_loop(void)
{
    struct play p;
    play(&p, QUICK "  users: {kind: client, arrivals: constant(10/s), to: desk}\n"
                   "faults: [{at: 250ms, for: 200ms, load: users, by: x5}]\n");
    static const int64_t begins[] = {0,      100000, 200000, 260000, 280000, 300000, 320000, 340000,
                                     360000, 380000, 400000, 420000, 440000, 500000, 600000};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        CU_ASSERT(p.count > i && p.ended[i].begun_ns == begins[i] * MICROSECOND);
    play_end(&p);
}

/* Two users with 10 ms of work and 90 ms of thinking, from 0 on: both ask at 90 ms and then every
 * 100 ms. Three times as many from 205 ms: four more ask at 295 ms and every 100 ms. At 500 ms
 * those four are too many: they go when they are answered, at 505 ms. From 700 ms to 900 ms one of
 * the two is too many (x0.5). */
static void a_load_brings_users_to_a_closed_loop_and_takes_them_away(void)
{
    struct play p;
    play(&p, QUICK "  users: {kind: client, users: 2, think: 90ms, to: desk}\n"
                   "faults:\n"
                   "  - {at: 205ms, for: 295ms, load: users, by: x3}\n"
                   "  - {at: 700ms, for: 200ms, load: users, by: x0.5}\n");
    uint32_t at_ms[1000] = {0};
    for (uint32_t i = 0; i < p.count; i++)
        if (p.ended[i].begun_ns < SECOND)
            at_ms[p.ended[i].begun_ns / MILLISECOND]++;
    static const uint32_t two[] = {90, 190, 290, 390, 490, 590, 690, 990};
    static const uint32_t four[] = {295, 395, 495};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        CU_ASSERT_EQUAL(at_ms[two[i]], 2);
    for (size_t i = 0; i < sizeof four / sizeof *four; i++)
        CU_ASSERT_EQUAL(at_ms[four[i]], 4);
    CU_ASSERT_EQUAL(at_ms[595], 0);
    CU_ASSERT_EQUAL(at_ms[790], 1);
    CU_ASSERT_EQUAL(at_ms[890], 1);
    play_end(&p);
}

SUITE("faults as written", TEST(a_crash_is_silence_unless_it_answers_with_a_reset),
      TEST(crashes_overlap_and_a_restart_ends_them_all),
      TEST(a_restart_of_what_is_up_loses_what_is_inside),
      TEST(an_end_comes_before_a_begin_and_both_before_everything_else),
      TEST(pauses_overlap_and_keep_everything), TEST(a_crash_ends_the_pause_of_its_process),
      TEST(slownesses_multiply), TEST(a_partition_loses_what_is_under_way_and_what_is_sent),
      TEST(a_partition_can_be_one_way), TEST(partitions_overlap_on_links_that_are_new),
      TEST(a_partition_cuts_links_without_any_property), TEST(zones_are_cut_and_go_down),
      TEST(a_delay_adds_to_every_message), TEST(a_slow_link_has_more_latency_and_less_bandwidth),
      TEST(a_full_queue_before_the_bandwidth_drops),
      TEST(losses_copies_and_overtaking_are_on_top_of_the_links_own),
      TEST(a_hold_keeps_messages_and_their_order), TEST(a_stream_sends_again_what_is_lost),
      TEST(clocks_jump_drift_and_strobe), TEST(a_load_multiplies_the_rate_of_an_open_loop),
      TEST(a_load_brings_users_to_a_closed_loop_and_takes_them_away))
