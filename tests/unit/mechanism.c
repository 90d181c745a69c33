/* The mechanism under fire: random loss, duplicates, crashes, cuts, pauses, slow places and
 * cancels. Whatever strikes, every operation that was issued ends, every child settles once, no
 * call is alive after the drain and nothing waits in the queue. The kinds are made for this test: a
 * client that retries, a balancer that hedges and cancels, a quorum that answers early and repairs,
 * and a leaf that works. */
#include "engine/kernel/mechanism.h"
#include "tests/suite.h"

enum { LEAVES = 3, NODES = 4, CLIENT = 0, HEDGE = 1, QUORUM = 2, LEAF = 3, AGENTS = 6 };

static const int64_t MS = 1000000;

struct fuzz {
    uint64_t random; /* of the faults */
    bool issuing;
    uint64_t issued, ok, fail, info;
    uint64_t settled, sent; /* children, over all kinds, where the caller's place never crashed */
    uint64_t posts;
};

static struct fuzz *fuzz_of(struct agent *agent)
{
    /* The one config of every agent of this test is its fuzz. */
    struct fuzz *const *config = agent->configs[0];
    return *config;
}

static uint64_t dice(struct fuzz *f, uint64_t sides)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random % sides;
}

static void settle_counted(struct agent *agent, struct call *parent, struct call *child)
{
    (void)parent;
    (void)child;
    fuzz_of(agent)->settled++;
}

static void no_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
}

static void no_start(struct agent *agent)
{
    (void)agent;
}

static struct call *send_to(struct call *c, struct agent *a, uint32_t to, uint16_t branch)
{
    fuzz_of(a)->sent++;
    return call_to(c, a, to, branch, 100);
}

/* ---- the client: an operation every 2 ms on average, three tries of 200 ms ---- */

static void client_begin(struct agent *a)
{
    struct fuzz *f = fuzz_of(a);
    f->issued++;
    struct call *c = call_begin(a, f->issued);
    c->wake = WAKE_ARRIVED;
    a->kind->step(a, c);
}

static void client_start(struct agent *a)
{
    timer_after(a, 1, 0, 0);
}

static void client_tick(struct agent *a, uint32_t tag, uint64_t argument)
{
    (void)tag, (void)argument;
    struct fuzz *f = fuzz_of(a);
    if (!f->issuing)
        return;
    client_begin(a);
    timer_after(a, (int64_t)dice(f, 4000) * 1000, 0, 0);
}

static void client_step(struct agent *a, struct call *c)
{
    struct fuzz *f = fuzz_of(a);
    switch (c->wake) {
    case WAKE_LOST:
        f->info++;
        call_free(c, a);
        return;
    case WAKE_JOINED:
        f->ok++;
        call_free(c, a);
        return;
    case WAKE_SHORT:
    case WAKE_TIMEOUT:
        if (c->attempt == 2) {
            f->fail += c->wake == WAKE_SHORT;
            f->info += c->wake == WAKE_TIMEOUT;
            call_free(c, a);
            return;
        }
        c->attempt++;
        call_round(c, a);
        break;
    default:
        break;
    }
    send_to(c, a, dice(f, 2) ? HEDGE : QUORUM, 0);
    call_await(c, a, 1, 200 * MS);
}

/* ---- the hedge: a second copy after 5 ms, the loser is taken back ---- */

static void hedge_step(struct agent *a, struct call *c)
{
    uint32_t *tries = call_frame(c);
    switch (c->wake) {
    case WAKE_ARRIVED:
        *tries = 1;
        send_to(c, a, LEAF + (uint32_t)(c->op_id % LEAVES), 0);
        call_await(c, a, 1, 5 * MS);
        return;
    case WAKE_TIMEOUT:
        if (*tries == 1) {
            *tries = 2;
            send_to(c, a, LEAF + (uint32_t)((c->op_id + 1) % LEAVES), 1);
            call_await(c, a, 1, 100 * MS);
            return;
        }
        call_reply(c, a, STATUS_INFO, 0);
        return;
    case WAKE_JOINED:
        call_cancel(c, a, 0);
        call_cancel(c, a, 1);
        call_reply(c, a, STATUS_OK, 10);
        return;
    default:
        call_reply(c, a, STATUS_INFO, 0);
    }
}

/* ---- the quorum, as a flow: 2 of 3, an early answer, then repairs as posts ---- */

struct quorum_frame {
    uint32_t answered;
};

static void quorum_settle(struct agent *a, struct call *parent, struct call *child)
{
    settle_counted(a, parent, child);
    if (parent && child->status == STATUS_OK)
        ((struct quorum_frame *)call_frame(parent))->answered |= 1u << child->branch;
}

static void quorum_step(struct agent *a, struct call *c)
{
    struct quorum_frame *f = call_frame(c);
    FLOW_BEGIN(c)
    for (uint16_t i = 0; i < LEAVES; i++)
        send_to(c, a, LEAF + i, i);
    call_await(c, a, 2, 50 * MS);
    AWAIT(c);
    if (c->wake != WAKE_JOINED) {
        call_reply(c, a, STATUS_INFO, 0);
        return;
    }
    call_answer(c, a, STATUS_OK, 10);
    if (c->sent > c->got + c->failed) {
        call_await(c, a, (uint16_t)(c->sent - c->failed), 50 * MS);
        AWAIT(c);
    }
    for (uint32_t i = 0; i < LEAVES; i++)
        if (!(f->answered >> i & 1)) {
            fuzz_of(a)->posts++;
            call_post(a, LEAF + i, 50);
        }
    call_free(c, a);
    return;
    FLOW_END(c)
}

/* ---- the leaf: works 1 to 9 ms on everything at once, fails now and then ---- */

static void leaf_step(struct agent *a, struct call *c)
{
    uint64_t draw = call_draw(c, a, DRAW_SERVICE);
    switch (c->wake) {
    case WAKE_ARRIVED:
        call_work(c, a, (int64_t)(1 + draw % 8) * MS);
        return;
    case WAKE_CANCELLED:
        call_reply(c, a, STATUS_FAIL, 0);
        return;
    default:
        call_reply(c, a, draw % 16 ? STATUS_OK : STATUS_FAIL, 10);
    }
}

static const struct kind client_kind = {.name = "client",
                                        .flags = KIND_CLIENT,
                                        .start = client_start,
                                        .step = client_step,
                                        .settle = settle_counted,
                                        .tick = client_tick};
static const struct kind hedge_kind = {.name = "hedge",
                                       .tables = {&visit_metrics},
                                       .flags = KIND_VISITED | KIND_CANCELS,
                                       .frame_size = sizeof(uint32_t),
                                       .start = no_start,
                                       .step = hedge_step,
                                       .settle = settle_counted,
                                       .tick = no_tick};
static const struct kind quorum_kind = {.name = "quorum",
                                        .tables = {&visit_metrics},
                                        .flags = KIND_VISITED,
                                        .frame_size = sizeof(struct quorum_frame),
                                        .start = no_start,
                                        .step = quorum_step,
                                        .settle = quorum_settle,
                                        .tick = no_tick};
static const struct kind leaf_kind = {.name = "leaf",
                                      .tables = {&visit_metrics},
                                      .flags = KIND_VISITED,
                                      .start = no_start,
                                      .step = leaf_step,
                                      .settle = settle_counted,
                                      .tick = no_tick};

/* ---- the world ---- */

struct world {
    struct fuzz fuzz, *config;
    const void *configs[1];
    struct instance instances[LEAVES];
    struct blueprint_node nodes[NODES];
    struct link_rule rule;
    struct window window;
    struct operation operation;
    struct blueprint blueprint;
};

static void world_make(struct world *w, double loss, double duplicate)
{
    static const struct kind *const kinds[NODES] = {&client_kind, &hedge_kind, &quorum_kind,
                                                    &leaf_kind};
    *w = (struct world){.operation = {"read", OPERATION_READ}, .window = {0, 1000 * MS}};
    w->config = &w->fuzz;
    w->configs[0] = &w->config;
    for (int i = 0; i < LEAVES; i++)
        w->instances[i] =
            (struct instance){.configs = w->configs, .weight = 1, .speed = 1, .zone = ZONE_NONE};
    for (uint32_t i = 0; i < NODES; i++)
        w->nodes[i] = (struct blueprint_node){.name = kinds[i]->name,
                                              .kind = kinds[i],
                                              .count = i == LEAF ? LEAVES : 1,
                                              .first = i,
                                              .instances = w->instances};
    w->rule.keys = LINK_LATENCY | LINK_LOSS | LINK_DUPLICATE | LINK_GIVE_UP | LINK_BANDWIDTH;
    const char *why;
    distribution_make_constant(&w->rule.config.latency, 300000, &why);
    w->rule.config.loss = loss;
    w->rule.config.duplicate = duplicate;
    w->rule.config.bandwidth = 10e6;
    w->rule.config.give_up = 3000 * MS;
    w->blueprint = (struct blueprint){.operations = &w->operation,
                                      .operation_count = 1,
                                      .nodes = w->nodes,
                                      .node_count = NODES,
                                      .agent_count = AGENTS,
                                      .links = &w->rule,
                                      .link_count = 1,
                                      .windows = &w->window,
                                      .window_count = 1,
                                      .duration = 1000 * MS,
                                      .drain = 0,
                                      .in_flight = 100000};
}

/* Strikes once, at random; `cuts` remembers what is cut. */
static void strike(struct simulation *s, struct fuzz *f, uint8_t cuts[AGENTS][AGENTS])
{
    uint32_t a = (uint32_t)dice(f, AGENTS), b = (uint32_t)dice(f, AGENTS);
    switch (dice(f, 7)) {
    case 0:
        place_crash(s, a);
        break;
    case 1:
        place_pause(s, a);
        break;
    case 2:
    case 3:
        place_resume(s, a);
        place_restart(s, a);
        break;
    case 4:
        place_slow(s, a, 1 + (double)dice(f, 8));
        break;
    case 5:
        if (a != b && !cuts[a][b]) {
            link_cut(s, a, b);
            cuts[a][b] = 1;
        }
        break;
    default:
        if (cuts[a][b]) {
            link_heal(s, a, b);
            cuts[a][b] = 0;
        }
    }
}

/* One world of `seconds`; true where everything came to its end. */
static bool burn(uint64_t seed, double loss, double duplicate, bool faults, int seconds)
{
    struct world w;
    uint8_t cuts[AGENTS][AGENTS] = {{0}};
    world_make(&w, loss, duplicate);
    w.fuzz.random = seed * 2654435761u + 88172645463325252ull;
    w.fuzz.issuing = true;
    w.window.end = w.blueprint.duration = seconds * 1000 * MS;
    struct simulation *s = simulation_create(&w.blueprint, seed, 1, NULL);
    simulation_start(s);
    for (int64_t at = 0; at < seconds * 1000 * MS; at += 20 * MS) {
        simulation_advance(s, at);
        if (faults)
            strike(s, &w.fuzz, cuts);
    }
    w.fuzz.issuing = false;
    for (uint32_t i = 0; i < AGENTS; i++) {
        place_resume(s, i);
        place_restart(s, i);
    }
    simulation_advance(s, seconds * 1000 * MS + 60000 * MS);
    struct simulation_totals totals = simulation_totals(s);
    bool whole = totals.live == 0 && event_count(&s->queue) == 0 &&
                 w.fuzz.issued == w.fuzz.ok + w.fuzz.fail + w.fuzz.info && w.fuzz.issued > 100;
    if (!faults) /* no caller ever crashed: every child settled, and exactly once */
        whole = whole && w.fuzz.settled == w.fuzz.sent;
    else
        whole = whole && w.fuzz.settled <= w.fuzz.sent;
    for (uint32_t i = 0; i < AGENTS; i++)
        whole = whole && agent_inside(&s->agents[i]) == 0;
    simulation_close(s);
    simulation_check_identities(s);
    if (!whole)
        printf("seed %llu loss %g: live %llu pending %llu issued %llu ended %llu sent %llu settled "
               "%llu\n",
               (unsigned long long)seed, loss, (unsigned long long)totals.live,
               (unsigned long long)event_count(&s->queue), (unsigned long long)w.fuzz.issued,
               (unsigned long long)(w.fuzz.ok + w.fuzz.fail + w.fuzz.info),
               (unsigned long long)w.fuzz.sent, (unsigned long long)w.fuzz.settled);
    simulation_free(s);
    return whole;
}

static void a_quiet_world_ends_whole(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++)
        CU_ASSERT(burn(seed, 0, 0, false, 5));
}

static void loss_and_duplicates_end_whole_and_settle_once(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        CU_ASSERT(burn(seed, 0.01, 0, false, 5));
        CU_ASSERT(burn(seed, 0, 0.05, false, 5));
        CU_ASSERT(burn(seed, 0.05, 0.05, false, 5));
    }
}

static void faults_of_every_kind_leave_nothing_behind(void)
{
    for (uint64_t seed = 1; seed <= 150; seed++)
        CU_ASSERT(burn(seed, seed % 3 ? 0.02 : 0, seed % 2 ? 0.03 : 0, true, 4));
}

static void the_same_seed_burns_the_same_way(void)
{
    uint64_t prints[2];
    for (int i = 0; i < 2; i++) {
        struct world w;
        world_make(&w, 0.02, 0.02);
        w.fuzz.random = 5;
        w.fuzz.issuing = true;
        struct simulation *s = simulation_create(&w.blueprint, 42, 3, NULL);
        simulation_start(s);
        simulation_advance(s, 1000 * MS);
        prints[i] = simulation_totals(s).fingerprint;
        simulation_free(s);
    }
    CU_ASSERT_EQUAL(prints[0], prints[1]);
    CU_ASSERT_NOT_EQUAL(prints[0], 0);
}

static void too_many_calls_end_with_an_answer(void)
{
    struct world w;
    world_make(&w, 1, 0); /* nothing arrives; every try is kept for 3 s */
    w.fuzz.random = 5;
    w.fuzz.issuing = true;
    w.blueprint.in_flight = 200;
    struct simulation *s = simulation_create(&w.blueprint, 42, 3, NULL);
    simulation_start(s);
    simulation_advance(s, 100000 * MS);
    CU_ASSERT(s->diverged);
    CU_ASSERT(s->live > 200 && s->live < 210);
    CU_ASSERT_PTR_NOT_NULL(strstr(simulation_divergence(s), " requests alive at t = "));
    simulation_free(s);
}

SUITE("the mechanism", TEST(a_quiet_world_ends_whole),
      TEST(loss_and_duplicates_end_whole_and_settle_once),
      TEST(faults_of_every_kind_leave_nothing_behind), TEST(the_same_seed_burns_the_same_way),
      TEST(too_many_calls_end_with_an_answer))
