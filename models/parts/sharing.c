/* Processor sharing by the work attained since the station was last idle. */
#include "models/parts/sharing.h"

enum { FRACTION = 40, FORGIVEN = 1 << (FRACTION - 10), SPEED_FRACTION = 32 };

#define NOWHERE UINT32_MAX /* the place of a call that has finished */

static ranking_key instant(const struct station *st)
{
    return (ranking_key)simulation_now(st->agent->simulation) << FRACTION;
}

/* x * a / b for 0 <= a, 0 < b < 2^60, rounded down, where x * a may not fit. */
static ranking_key scale(ranking_key x, int64_t a, int64_t b)
{
    return x / b * a + x % b * a / b;
}

/* Each of N at work goes at 1 / (1 + alpha (N - 1) + beta N (N - 1)) of the speed, so that together
 * they do N of these in the time of one: the universal scalability law (Gunther 1993, 2007). */
static inline double contention_of(const struct station *st)
{
    double n = st->serving.count;
    return 1 + st->config->alpha * (n - 1) + st->config->beta * n * (n - 1);
}

static inline int64_t speed_of(const struct station *st)
{
    double speed = st->contended ? st->speed / contention_of(st) : st->speed;
    double scaled = speed * 0x1p32 + 0.5;
    return scaled < 1 ? 1 : scaled < 0x1p52 ? (int64_t)scaled : INT64_C(1) << 52;
}

/* Time in which everyone attains `work` more, and the other way round. */
static ranking_key time_of(const struct station *st, ranking_key work)
{
    uint64_t n = st->serving.count;
    if (n > st->slots)
        work = scale(work, (int64_t)n, (int64_t)st->slots);
    return st->speed == 1 && !st->contended
               ? work
               : scale(work, INT64_C(1) << SPEED_FRACTION, speed_of(st));
}

static ranking_key work_of(const struct station *st, ranking_key time)
{
    uint64_t n = st->serving.count;
    if (st->speed != 1 || st->contended)
        time = scale(time, speed_of(st), INT64_C(1) << SPEED_FRACTION);
    return n > st->slots ? scale(time, (int64_t)st->slots, (int64_t)n) : time;
}

static inline ranking_key finish_of_first(const struct station *st)
{
    return st->attained_at + time_of(st, ranking_first(&st->serving)->key - st->attained);
}

/* The first has finished: it shares no longer, and its event comes now. */
static void finish_first(struct station *st, ranking_key at)
{
    struct call *c = ranking_first(&st->serving)->call;
    st->attained = ranking_first(&st->serving)->key;
    st->attained_at = at;
    ranking_remove(&st->serving, 0);
    station_visit(c)->place = NOWHERE;
    if (st->next == c)
        st->next = NULL;
    else
        call_work(c, st->agent, 0);
}

void sharing_advance(struct station *st)
{
    ranking_key now = instant(st);
    while (st->serving.count && !st->paused) {
        ranking_key finish = finish_of_first(st);
        if (finish > now + FORGIVEN)
            break;
        finish_first(st, finish);
    }
    if (!st->serving.count)
        st->attained = 0;
    else if (!st->paused && now > st->attained_at)
        st->attained += work_of(st, now - st->attained_at);
    if (now > st->attained_at || !st->serving.count)
        st->attained_at = now;
}

void sharing_schedule(struct station *st)
{
    if (st->next)
        call_stop(st->next, st->agent);
    st->next = NULL;
    if (!st->serving.count || st->paused)
        return;
    ranking_key left = finish_of_first(st) - FORGIVEN - instant(st),
                one = (ranking_key)1 << FRACTION;
    ranking_key delay_ns = left > 0 ? (left + one - 1) / one : 0;
    st->next = ranking_first(&st->serving)->call;
    call_work(st->next, st->agent, delay_ns < INT64_MAX / 2 ? (int64_t)delay_ns : INT64_MAX / 2);
}

void sharing_join(struct station *st, struct call *c)
{
    sharing_advance(st);
    const struct station_visit *v = station_visit(c);
    ranking_key demand = (ranking_key)v->left_ns << FRACTION;
    ranking_add(&st->serving, &st->agent->place->memory,
                (struct ranked){st->attained + demand, v->order, c});
    sharing_schedule(st);
}

void sharing_remove(struct station *st, struct call *c)
{
    uint32_t place = station_visit(c)->place;
    if (place == NOWHERE)
        return;
    ranking_remove(&st->serving, place);
    if (st->next == c)
        st->next = NULL;
}
