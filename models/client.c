/* A client: begins operations, sends each to one of `to`, and measures what becomes of them.
 *
 * What is simulated: an open loop (operations begin when the arrival process says) or a closed loop
 * (each user thinks, asks, waits, thinks again); a mix of operations with keys and sizes; sessions
 * with one operation at a time; a timeout for each try and retries (models/parts/caller.h).
 * What is left out: connections, own computing time.
 * Everything an operation is - which one, key, size, session, think time before it - is drawn from
 * the operation itself, by number of arrival or by user and turn, so that no design moves it.
 * A `load` fault changes the rate of an open loop and the number of users of a closed one: those
 * who come begin to think, those who are too many leave when their operation or think time ends.
 * Ties: operations that begin at the same instant begin in the order of their number, users in the
 * order in which they began to think. A crash ends all operations as unknown; users begin anew
 * after the restart, arrivals go on with the first one after it. */
#include "models/client.h"

#include "engine/kernel/watch.h"
#include "models/parts/guard.h"
#include "models/registry.h"

#include <math.h>
#include <stddef.h>

/* A session that has one operation on its way, and a list of those that wait behind it. */
struct session {
    uint32_t head, tail; /* indices of calls; 0: none */
    bool busy;
};

/* The session that has a place now: the `lives`-th there. */
struct session_life {
    int64_t end_ns;
    uint32_t lives;
};

/* Volatile: sessions begin anew after a crash. */
struct client_memory {
    struct session *sessions;   /* NULL: nobody ever waits for a session */
    struct session_life *lives; /* NULL: they last for the whole run */
    uint32_t life_count;
    struct guard *guard; /* NULL: nothing guards its calls */
};

/* Durable, so that no two operations ever have the same number. */
struct client {
    struct arrivals_state arrivals;
    uint64_t arrived; /* arrivals so far, the pending one included */
    int64_t next_ns;  /* the pending one; ARRIVALS_NEVER: there is none any more */
    uint64_t begun;   /* operations begun so far */
    uint64_t open;    /* operations begun and not ended */
    uint64_t rank;    /* among the clients of the run, in order of name */
    double *up_to;    /* sums of shares, by operation; NULL: there is only one */
    uint32_t last;    /* the last operation with a share */
    uint64_t wanted;  /* closed loop under load: users there are to be */
    uint64_t *turns;  /* and the turn of each who is away; else USER_THERE; NULL: no load */
    bool started;
};

struct client_frame {
    struct caller caller;
    int64_t intended_ns;
    uint64_t turn; /* closed loop: user and turn */
    uint32_t session;
    uint32_t watched; /* its number at the watch */
};

enum { TICK_ARRIVAL, TICK_USER, TICK_LOAD };

#define USER_THERE UINT64_MAX

enum { GUARD_TABLE = CLIENT_TABLE + 2 };

/* Closed loop: what numbers an operation. */
enum { TURN_BITS = 32, USER_BITS = 24 };

static inline const struct client_config *config_of(const struct agent *agent, const struct call *c)
{
    return agent->configs[c->operation];
}

static inline const struct client_config *whole(const struct agent *agent)
{
    return agent->configs[0];
}

/* ---- what an operation is ---- */

static uint8_t choose_operation(const struct agent *agent, const struct call *c)
{
    const struct client *client = agent->durable;
    if (LIKELY(!client->up_to))
        return (uint8_t)client->last;
    uint64_t draw = call_draw(c, agent, DRAW_OPERATION);
    double at = random_unit(draw);
    uint32_t i = 0;
    while (i < client->last && at >= client->up_to[i])
        i++;
    return (uint8_t)i;
}

/* Keys that go by number are numbered in order of beginning; fresh ones differ between instances.
 */
static uint64_t choose_key(struct agent *agent, const struct call *c,
                           const struct key_chooser *keys)
{
    struct client *client = agent->durable;
    uint64_t number = client->begun++;
    if (keys->kind == KEYS_UNIFORM && keys->n <= 1)
        return keys->offset;
    if (keys->kind == KEYS_FRESH)
        number |= client->rank << 40;
    return keys_choose(keys, call_draw(c, agent, DRAW_KEY), number);
}

/* The number of the session that has a place now. Lives are drawn from place and life, so that no
 * design moves them; users whom a fault brings in beyond those of the scenario keep theirs. */
static uint32_t session_now(struct agent *agent, uint32_t place)
{
    const struct client_memory *memory = agent->memory;
    if (LIKELY(!memory->lives) || place >= memory->life_count)
        return place;
    struct session_life *life = &memory->lives[place];
    while (life->end_ns <= simulation_now(agent->simulation)) {
        uint64_t number = (uint64_t)place << 32 | life->lives++;
        struct call one = {.op_id = random_mix(agent->id_base ^ random_mix(number))};
        int64_t ns =
            distribution_ns(&whole(agent)->session_life, call_draw(&one, agent, DRAW_LIFE));
        life->end_ns += ns > 0 ? ns : 1;
    }
    return place + (life->lives - 1) * memory->life_count;
}

static void choose(struct agent *agent, struct call *c, uint64_t number)
{
    c->operation = choose_operation(agent, c);
    const struct client_config *config = config_of(agent, c);
    struct client_frame *f = call_frame(c);
    c->key = choose_key(agent, c, &config->keys);
    if (config->sizes.kind != DISTRIBUTION_CONSTANT || config->sizes.value > 0) {
        int64_t bytes = distribution_ns(&config->sizes, call_draw(c, agent, DRAW_SIZE));
        c->size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    }
    const struct client_config *all = whole(agent);
    if (all->has_sessions) {
        uint64_t draw = call_draw(c, agent, DRAW_SESSION);
        f->session = (uint32_t)random_below(draw, all->sessions);
    } else {
        f->session = all->has_users ? (uint32_t)(f->turn >> TURN_BITS) : (uint32_t)number;
    }
    c->session = session_now(agent, f->session);
}

/* ---- its life ---- */

static inline void count_attempt(struct agent *agent, const struct call *c)
{
    record_count(agent->records[CLIENT_TABLE], CLIENT_ATTEMPTS, c->operation,
                 simulation_now(agent->simulation), 1);
}

static void send(struct agent *agent, struct call *c)
{
    const struct client_config *config = config_of(agent, c);
    struct client_frame *f = call_frame(c);
    uint32_t to = pool_route(&config->to, agent, c);
    if (LIKELY(caller_send(&f->caller, &config->caller, c, agent, to, 0)))
        count_attempt(agent, c);
}

/* The session begins it: from now on others may see what it does. */
static void send_first(struct agent *agent, struct call *c)
{
    PROBE(agent->simulation, invoke, agent, c);
    send(agent, c);
}

/* True where the session is free, and now has this operation; else it waits. */
static bool session_take(struct agent *agent, struct call *c)
{
    const struct client_memory *memory = agent->memory;
    const struct client_frame *f = call_frame(c);
    if (!memory->sessions)
        return true;
    struct session *session = &memory->sessions[f->session];
    struct simulation *s = agent->simulation;
    if (!session->busy) {
        session->busy = true;
        return true;
    }
    c->next = 0;
    if (session->head)
        call_at(s, session->tail)->next = call_index(s, c);
    else
        session->head = call_index(s, c);
    session->tail = call_index(s, c);
    return false;
}

/* The operation that waits for the session, which is now its; NULL: there is none. */
static struct call *session_give(struct agent *agent, uint32_t number)
{
    const struct client_memory *memory = agent->memory;
    if (!memory->sessions)
        return NULL;
    struct session *session = &memory->sessions[number];
    if (!session->head) {
        session->busy = false;
        return NULL;
    }
    struct call *c = call_at(agent->simulation, session->head);
    session->head = c->next;
    return c;
}

static void begin(struct agent *agent, uint64_t number, uint64_t turn, int64_t intended_ns)
{
    struct simulation *s = agent->simulation;
    struct client *client = agent->durable;
    struct record *r = agent->records[CLIENT_TABLE];
    struct call *c = call_begin(agent, number);
    struct client_frame *f = call_frame(c);
    f->intended_ns = c->arrived_ns = intended_ns;
    f->turn = turn;
    f->caller.guard = ((const struct client_memory *)agent->memory)->guard;
    choose(agent, c, number);
    client->open++;
    s->totals.issued++;
    if (window_holds(&s->window, intended_ns))
        s->observed_open++;
    record_count(r, CLIENT_OPERATIONS, c->operation, intended_ns, 1);
    record_level(r, CLIENT_IN_SYSTEM, 1);
    if (UNLIKELY(s->watch != NULL))
        f->watched = watch_begin(s->watch, agent, intended_ns);
    if (session_take(agent, c))
        send_first(agent, c);
}

/* What is counted of an operation when it ends, or when the run does. */
static void account(struct agent *agent, const struct call *c, const struct client_frame *f,
                    enum status status)
{
    struct record *r = agent->records[CLIENT_TABLE];
    int64_t now = simulation_now(agent->simulation), latency_ns = now - f->intended_ns;
    const struct caller *caller = &f->caller;
    struct watch *watch = agent->simulation->watch;
    struct entry begun = record_at(r, c->operation, f->intended_ns);
    if (UNLIKELY(watch != NULL))
        watch_end(watch, agent, f->watched, c->operation, status == STATUS_OK, f->intended_ns);
    entry_count(&begun, CLIENT_TRIES, caller->sent);
    if (LIKELY(status == STATUS_OK)) {
        const struct caller_config *limits = &config_of(agent, c)->caller;
        int64_t in_time = limits->deadline > 0 ? limits->deadline : limits->timeout;
        struct entry ended = record_at(r, c->operation, now);
        entry_duration(&begun, CLIENT_LATENCY, latency_ns);
        entry_count(&ended, CLIENT_THROUGHPUT, 1);
        if (in_time == TIME_NONE || latency_ns <= in_time)
            entry_count(&ended, CLIENT_GOODPUT, 1);
        if (LIKELY(caller->tries == 1 && caller->sent == 1))
            return;
    } else {
        entry_count(&begun, CLIENT_FAILED, 1);
    }
    entry_count(&begun, CLIENT_RETRY_COUNT, caller->tries ? caller->tries - 1 : 0);
    entry_count(&begun, CLIENT_TIMEOUT_COUNT, caller->timeouts);
    entry_count(&begun, CLIENT_REJECTED_COUNT, caller->refused);
}

static void end(struct agent *agent, struct call *c, enum status status)
{
    struct simulation *s = agent->simulation;
    struct client *client = agent->durable;
    struct client_frame *f = call_frame(c);
    int64_t now = simulation_now(s);
    c->status = (uint8_t)status;
    account(agent, c, f, status);
    if (status != STATUS_OK)
        record_duration(agent->records[CLIENT_TABLE], CLIENT_LATENCY_FAILED, c->operation,
                        f->intended_ns, now - f->intended_ns);
    record_level(agent->records[CLIENT_TABLE], CLIENT_IN_SYSTEM, -1);
    client->open--;
    s->totals.ended++;
    if (window_holds(&s->window, f->intended_ns))
        s->observed_open--;
    if (s->probe && s->probe->complete)
        s->probe->complete(s->probe->context, agent, c);
}

/* ---- when operations begin ---- */

/* A user's turn as the number of its operation, another one in every life of the client. More lives
 * than the top bits hold are hashed, and then differ as the numbers of two clients do. */
static uint64_t turn_number(const struct agent *agent, uint64_t turn)
{
    uint64_t life = agent->place->incarnation;
    uint32_t shift = TURN_BITS + USER_BITS;
    return turn ^ (life >> (64 - shift) ? random_mix(life) : life << shift);
}

/* The think time before a turn of a user; the operation will have the same number. */
static void think(struct agent *agent, uint64_t turn)
{
    const struct distribution *think = &whole(agent)->think;
    struct call next = {.op_id = random_mix(agent->id_base ^ turn_number(agent, turn))};
    timer_after(agent, distribution_ns(think, call_draw(&next, agent, DRAW_THINK)), TICK_USER,
                turn);
}

/* ---- the users of a closed loop under load ---- */

static uint64_t users_wanted(const struct agent *agent, int64_t at_ns)
{
    const struct load *load = agent->load;
    double factor = 1;
    for (uint32_t i = 0; i < load->count && load->at_ns[i] <= at_ns; i++)
        factor = load->factor[i];
    double users = (double)whole(agent)->users * factor + 0.5;
    return users < CLIENT_USERS_MAX ? (uint64_t)users : CLIENT_USERS_MAX;
}

/* The user leaves before this turn, if there are too many. */
static bool user_leaves(const struct agent *agent, uint64_t turn)
{
    const struct client *client = agent->durable;
    uint64_t user = turn >> TURN_BITS;
    if (LIKELY(!client->turns) || user < client->wanted)
        return false;
    client->turns[user] = turn;
    return true;
}

/* The load has changed: whoever is wanted and away comes and thinks. */
static void users_come(struct agent *agent)
{
    struct client *client = agent->durable;
    const struct load *load = agent->load;
    int64_t now = simulation_now(agent->simulation);
    client->wanted = users_wanted(agent, now);
    for (uint64_t user = 0; user < client->wanted; user++)
        if (client->turns[user] != USER_THERE) {
            think(agent, client->turns[user]);
            client->turns[user] = USER_THERE;
        }
    for (uint32_t i = 0; i < load->count; i++)
        if (load->at_ns[i] > now) {
            timer_at(agent, load->at_ns[i], TICK_LOAD, 0);
            return;
        }
}

/* Nobody is there yet: at the start of a run, and after a crash. */
static void users_begin(struct agent *agent)
{
    struct client *client = agent->durable;
    const struct load *load = agent->load;
    uint64_t most = users_wanted(agent, 0);
    for (uint32_t i = 0; i < load->count; i++) {
        uint64_t users = users_wanted(agent, load->at_ns[i]);
        most = users > most ? users : most;
    }
    if (!client->turns)
        client->turns = arena_array(&agent->simulation->arena, most, uint64_t);
    for (uint64_t user = 0; user < most; user++)
        client->turns[user] = user << TURN_BITS;
    users_come(agent);
}

/* Sets the timer of the next arrival. After a restart the one that was pending still comes, unless
 * it fell into the time when the client was down: those are nobody's. */
static void arrival_next(struct agent *agent, bool again)
{
    struct client *client = agent->durable;
    const struct arrivals *arrivals = &whole(agent)->arrivals;
    struct stream *stream = agent_stream(agent, STREAM_ARRIVALS);
    int64_t now = simulation_now(agent->simulation);
    if (!again || client->next_ns < now)
        do {
            client->next_ns = arrivals_next(arrivals, &client->arrivals, stream);
            client->arrived++;
        } while (again && client->next_ns < now);
    int64_t at = client->next_ns;
    if (at != ARRIVALS_NEVER)
        alarm_at(agent, at > now ? at : now, TICK_ARRIVAL, (uint64_t)at);
}

static void shares_add_up(struct agent *agent)
{
    struct client *client = agent->durable;
    uint32_t count = agent->simulation->blueprint->operation_count, used = 0;
    double sum = 0;
    double *up_to = arena_array(&agent->simulation->arena, count, double);
    for (uint32_t i = 0; i < count; i++) {
        double share = ((const struct client_config *)agent->configs[i])->share;
        sum += share;
        up_to[i] = sum;
        if (share > 0) {
            client->last = i;
            used++;
        }
    }
    client->up_to = used > 1 ? up_to : NULL;
}

static bool client_lives(const struct client_config *config)
{
    const struct distribution *life = &config->session_life;
    return life->kind != DISTRIBUTION_CONSTANT || life->value > 0;
}

static void client_start(struct agent *agent)
{
    struct client *client = agent->durable;
    struct client_memory *memory = agent->memory;
    const struct client_config *config = whole(agent);
    bool again = client->started;
    if (!again) {
        shares_add_up(agent);
        for (uint32_t i = 0; i < agent->index; i++)
            client->rank += (agent->simulation->agents[i].kind->flags & KIND_CLIENT) != 0;
        arrivals_begin(&config->arrivals, &client->arrivals);
        arrivals_load(&client->arrivals, agent->load);
    }
    client->started = true;
    memory->guard =
        caller_start(agent, offsetof(struct client_config, caller), GUARD_TABLE, -1, NULL);
    if (config->has_sessions)
        memory->sessions = arena_array(&agent->place->memory, config->sessions, struct session);
    if ((config->has_sessions || config->has_users) && client_lives(config)) {
        memory->life_count = (uint32_t)(config->has_sessions ? config->sessions : config->users);
        memory->lives = arena_array(&agent->place->memory, memory->life_count, struct session_life);
    }
    if (config->has_users && agent->load)
        users_begin(agent);
    else if (config->has_users)
        for (uint64_t user = 0; user < config->users; user++)
            think(agent, user << TURN_BITS);
    else
        arrival_next(agent, again);
}

static void client_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct client *client = agent->durable;
    if (LIKELY(tag == TICK_ARRIVAL)) {
        begin(agent, client->arrived - 1, 0, (int64_t)argument);
        arrival_next(agent, false);
        return;
    }
    if (UNLIKELY(tag == TICK_LOAD))
        users_come(agent);
    else if (!user_leaves(agent, argument))
        begin(agent, turn_number(agent, argument), argument, simulation_now(agent->simulation));
}

static void client_step(struct agent *agent, struct call *c)
{
    struct client_frame *f = call_frame(c);
    if (UNLIKELY(c->wake == WAKE_LOST)) { /* a crash: nobody goes on, everyone begins anew */
        end(agent, c, STATUS_INFO);
        call_free(c, agent);
        return;
    }
    enum caller_next next = caller_wake(&f->caller, &config_of(agent, c)->caller, c, agent);
    if (next == CALLER_AGAIN)
        send(agent, c);
    if (UNLIKELY(next == CALLER_SENT))
        count_attempt(agent, c);
    if (next != CALLER_ENDED)
        return;
    end(agent, c, caller_status(&f->caller, c));
    uint32_t session = f->session;
    uint64_t turn = f->turn;
    call_free(c, agent);
    struct call *waiting = session_give(agent, session);
    if (waiting)
        send_first(agent, waiting);
    if (whole(agent)->has_users && !user_leaves(agent, turn + 1))
        think(agent, turn + 1);
}

static void client_settle(struct agent *agent, struct call *parent, struct call *child)
{
    const struct client_memory *memory = agent->memory;
    if (UNLIKELY(!parent)) {
        caller_late(memory->guard, child);
        return;
    }
    caller_reads(parent, child);
    caller_settle(&((struct client_frame *)call_frame(parent))->caller, child);
}

/* What has not ended by now never will: it is in the denominators, and an error. */
static void client_finish(struct agent *agent)
{
    const struct client *client = agent->durable;
    struct simulation *s = agent->simulation;
    struct record *r = agent->records[CLIENT_TABLE];
    uint64_t left = client->open;
    for (uint32_t i = 1; left && i < s->pool_used; i++) {
        struct call *c = call_at(s, i);
        if (c->state != CALL_HELD || c->agent != agent->index || c->parent)
            continue;
        const struct client_frame *f = call_frame(c);
        account(agent, c, f, STATUS_INFO);
        record_count(r, CLIENT_UNFINISHED_COUNT, c->operation, f->intended_ns, 1);
        record_count(r, CLIENT_UNFINISHED, c->operation, f->intended_ns, 1);
        left--;
    }
    CHECK(!left);
}

/* ---- the predicted load ---- */

static const struct pool *load_target(const void *config)
{
    return &((const struct client_config *)config)->to;
}

static double load_attempts(const void *config)
{
    (void)config;
    return 1;
}

static double load_offered(const void *config, int64_t from_ns, int64_t to_ns, uint32_t operation)
{
    const struct client_config *client = config;
    (void)operation; /* the share stands in the operation's own configuration */
    if (client->has_users)
        return (double)INFINITY;
    return client->share * arrivals_mean_rate(&client->arrivals, from_ns, to_ns);
}

static double load_none(const void *config)
{
    (void)config;
    return 0;
}

static double load_unlimited(const void *config)
{
    (void)config;
    return (double)INFINITY;
}

static bool load_weighted(const void *config)
{
    (void)config;
    return false;
}

const struct kind client_kind = {
    .name = "client",
    .summary = "Begins operations, in an open or a closed loop, and measures their latency.",
    .semantics =
        "Open loop: an operation begins when the arrival process says, whether or not others have "
        "been answered. Closed loop: each user thinks, begins an operation, waits for its end and "
        "thinks again. An operation is sent to `to`; with `retry` it is tried again after an "
        "error, a rejection or a timeout, each time with new work. One ok answer makes it ok; else "
        "it is info (unknown) where some try may have been done, and fail where certainly none "
        "was. Latency counts from the intended start, also while the session is busy or the client "
        "is paused. Measured are the operations whose intended start lies in the window, followed "
        "to their end. Which operation, key, size, session and think time are drawn from the "
        "operation's own number. `arrivals`, `users`, `think` and `sessions` belong to the whole "
        "client, not to one operation. Left out: connections, computing time of its own.",
    .fields = &client_fields,
    .tables = {&client_metrics, &watch_metrics, &guard_metrics},
    .flags = KIND_CLIENT,
    .config_size = sizeof(struct client_config),
    .volatile_size = sizeof(struct client_memory),
    .durable_size = sizeof(struct client),
    .frame_size = sizeof(struct client_frame),
    .start = client_start,
    .step = client_step,
    .settle = client_settle,
    .tick = client_tick,
    .finish = client_finish,
    .load = &(const struct kind_load){.work_ns = load_none,
                                      .slots = load_unlimited,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts,
                                      .offered = load_offered},
};
