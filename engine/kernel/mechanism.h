/* The inside of the mechanism, for the kernel's own files only: taking and giving back calls, the
 * accounts of a visit, travel, and the dispatch of events. Kinds include simulation.h. */
#ifndef ORRERY_KERNEL_MECHANISM_H
#define ORRERY_KERNEL_MECHANISM_H

#include "engine/kernel/simulation.h"

#include <string.h>

enum event_type {
    EVENT_ARRIVE = 1, /* call: a request reaches its agent */
    EVENT_BACK,       /* call: a reply reaches the caller */
    EVENT_LOST,       /* call: the link gives a lost message up */
    EVENT_WORK,       /* call: a station's work on it is done */
    EVENT_TIMER,      /* call: its await or patience is up */
    EVENT_JOIN,       /* call: its join was decided before it awaited */
    EVENT_TICK,       /* timer: an agent's */
    EVENT_CANCEL,     /* timer: a cancel message; argument = index << 32 | generation */
    EVENT_ALARM,      /* agent: its alarm */
    EVENT_STRIKE,     /* strike: it begins, jumps or ends, by the argument: enum strike_phase */
    EVENT_SCALE,      /* agent: a look of its scaler, or the end of its start-up or draining */
};

/* A timer of an agent, or a cancel message on its way. */
struct timer {
    uint64_t argument;
    uint32_t agent, incarnation, tag;
    uint32_t next; /* of the free list */
};

/* What faults do to a link while they last. */
struct link_trouble {
    struct link_config config;             /* with their loss, copies, bandwidth */
    double slow;                           /* its latency takes so many times as long */
    int64_t held_until_ns;                 /* nothing sent now arrives before; 0: no hold */
    const struct blueprint_fault **delays; /* what they add, a draw of each */
    uint32_t delay_count, delay_room;
};

/* A one-way link between two places, made when the first message goes over it. */
struct link {
    struct place *from, *to;
    struct link_config config;
    uint64_t tier;   /* names its draws: of the two nodes' names, never of their instances */
    int64_t free_ns; /* when the last byte accepted so far has left */
    uint32_t cuts;   /* partitions that cut it now */
    bool local;      /* within one place: no time, no faults */
    bool constant;   /* it has nothing but a constant latency */
    bool plain;      /* the same, and no fault concerns it now */
    int64_t constant_ns;
    struct link_trouble *trouble;      /* what faults do to it now; NULL: nothing */
    struct link_trouble *trouble_kept; /* its memory between two of them */
    int64_t *departures; /* of the messages on its bandwidth, a ring; with a bounded queue */
    uint32_t departure_first, departure_count, departure_room; /* room: a power of 2 */
};

struct link *link_find(struct simulation *s, struct place *from, struct place *to);
void link_send(struct simulation *s, struct link *link, struct call *c, uint8_t event_type,
               uint32_t size);
void links_free(struct place *place);

/* What a cancel message with this draw takes over the link; -1: it is lost. */
int64_t link_cancel_delay(const struct link *link, uint64_t draw);

/* Partitions: one more or one less cuts the link; and all messages on links that are cut are lost.
 */
void link_cut_add(struct link *link);
void link_cut_remove(struct link *link);
void link_sweep(struct simulation *s);

/* A strike on links has begun or has ended: it stands in the list of those that are on, or stands
 * there no more. And a link is new, while some are on. */
void link_fault_begin(struct simulation *s, const struct strike *strike);
void link_fault_end(struct simulation *s, const struct strike *strike);
void link_fault_join(struct simulation *s, struct link *link);

/* Draws the strikes of this replication, which happen as events before everything else at their
 * instants; and handles such an event. */
void fault_plan(struct simulation *s);
void fault_dispatch(struct simulation *s, const struct event *event);

/* The properties of a link at present. */
static inline const struct link_config *link_config_now(const struct link *link)
{
    return link->trouble ? &link->trouble->config : &link->config;
}

/* `c`, which has a twin, arrives or is lost: the copy of the two gets the line it was sent with. */
void link_share_line(struct simulation *s, struct call *c);

/* Takes a call away from whoever has it and keeps it, as LOST, until `give_up_ns` have passed. */
void call_lose(struct simulation *s, struct call *c, int64_t give_up_ns);

/* Takes a call away from whoever has it: its place tells the caller that it is gone. */
void call_reset(struct simulation *s, struct call *c, enum status status);

/* The call's place among its parent's children goes to `instead` (0: to nobody), where the parent
 * keeps a list of them. */
void call_relist(struct simulation *s, const struct call *c, uint32_t instead);

/* A cancel message arrives: `who` is index << 32 | generation of the call it is for. */
void call_cancelled(struct simulation *s, uint64_t who);

/* A scaler's event. */
void scaler_dispatch(struct simulation *s, const struct event *event);
/* Before a run starts: who is there, and the first looks. */
void scaler_plan(struct simulation *s);
/* The last call inside a draining agent has gone. */
void scaler_drained(struct agent *agent);

void place_init(struct place *place, struct simulation *s, const struct agent *first);
void place_free(struct place *place);
void place_defer(struct place *place, const struct event *event);

/* A probe (OPERATION_PROBE) has reached `agent`'s place, which answers it. */
void place_answer(struct simulation *s, struct call *c, const struct agent *agent);

uint32_t timer_take(struct simulation *s);
void timer_give(struct simulation *s, uint32_t index);
uint32_t timer_push(struct agent *agent, int64_t at_ns, uint8_t event_type, uint32_t tag,
                    uint64_t argument);

/* Handles up to `limit` events with time <= stop_ns; how many more it could have handled. With
 * `draining` it also ends when nothing observed is open any more. */
uint32_t dispatch(struct simulation *s, int64_t stop_ns, uint32_t limit, bool draining);

/* More calls than the blueprint allows: the run ends here. */
void simulation_diverges(struct simulation *s);

/* Calls lie a power of two apart: 256 B with frames of up to FRAME_LARGE, 512 B beyond. Frames are
 * cleared by these sizes, which the compiler knows: that takes a few stores instead of a call. */
enum { FRAME_SMALL = 48, FRAME_LARGE = 112, FRAME_LARGEST = 176 };

static inline uint32_t frame_room(uint32_t frame_size)
{
    return frame_size <= FRAME_LARGE     ? FRAME_LARGE
           : frame_size <= FRAME_LARGEST ? FRAME_LARGEST
                                         : frame_size;
}

static inline void frame_clear(struct call *c, const struct kind *kind)
{
    unsigned char *frame = call_frame(c);
    uint32_t size = kind->frame_size;
    memset(frame, 0, FRAME_SMALL);
    if (size > FRAME_SMALL)
        memset(frame + FRAME_SMALL, 0, FRAME_LARGE - FRAME_SMALL);
    if (size > FRAME_LARGE)
        memset(frame + FRAME_LARGE, 0, FRAME_LARGEST - FRAME_LARGE);
    if (UNLIKELY(size > FRAME_LARGEST))
        memset(frame + FRAME_LARGEST, 0, size - FRAME_LARGEST);
}

/* A call off the free list: line 0 and the tail are zero but for the generation. */
static inline struct call *call_take(struct simulation *s)
{
    uint32_t index = s->free_head;
    struct call *c;
    if (LIKELY(index != 0)) {
        c = call_at(s, index);
        s->free_head = c->next;
    } else {
        CHECK(s->pool_used < s->pool_room);
        c = call_at(s, s->pool_used++);
        c->generation = 1;
    }
    uint32_t generation = c->generation;
    memset(c, 0, offsetof(struct call, op_id));
    *call_tail(c) = (struct call_tail){0};
    c->generation = generation;
    if (UNLIKELY(++s->live > s->totals.live_max)) {
        s->totals.live_max = s->live;
        if (UNLIKELY(s->live > s->blueprint->in_flight))
            simulation_diverges(s);
    }
    return c;
}

/* Back onto the free list; whoever still holds its index sees another generation. */
static inline void call_release(struct simulation *s, struct call *c)
{
    if (UNLIKELY(call_tail(c)->twin))
        call_tail(call_at(s, call_tail(c)->twin))->twin = 0;
    if (c->timer)
        event_cancel(&s->queue, c->timer);
    if (UNLIKELY(c->event)) {
        event_cancel(&s->queue, c->event);
        c->event = 0; /* for an event that cannot be cancelled */
    }
    c->generation++;
    c->state = CALL_FREE;
    c->next = s->free_head;
    s->free_head = call_index(s, c);
    s->live--;
}

/* The true time in which a clock of the place shows `ns`: one that runs fast by `drift` shows them
 * after ns / (1 + drift). */
static inline int64_t clock_true_ns(const struct place *place, int64_t ns)
{
    if (LIKELY(place->clock_drift == 0))
        return ns;
    double true_ns = (double)ns / (1 + place->clock_drift) + 0.5;
    return true_ns < 0x1p62 ? (int64_t)true_ns : INT64_MAX;
}

/* The parent a settling child returns to, or NULL where it has gone. */
static inline struct call *call_parent(const struct simulation *s, const struct call *c)
{
    if (!c->parent)
        return NULL;
    struct call *p = call_at(s, c->parent);
    return p->generation == c->parent_generation ? p : NULL;
}

static inline struct link *link_between(struct simulation *s, struct place *from, struct place *to)
{
    if (LIKELY(s->link_table != NULL)) {
        struct link *link = s->link_table[from->index * s->place_count + to->index];
        if (LIKELY(link != NULL))
            return link;
    }
    return link_find(s, from, to);
}

/* Sets a message in motion: over no link at all where none has any property. */
static inline void call_travel(struct simulation *s, struct call *c, struct place *from,
                               struct place *to, uint8_t event_type, uint32_t size)
{
    if (LIKELY(s->plain_links)) {
        c->event = event_push_now(&s->queue, event_type, call_index(s, c));
        return;
    }
    struct link *link = link_between(s, from, to);
    if (UNLIKELY(!link->plain))
        link_send(s, link, c, event_type, size);
    else
        c->event = event_push(&s->queue, s->queue.now + link->constant_ns, event_type,
                              call_index(s, c), 0);
}

#endif
