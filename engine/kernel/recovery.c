#include "engine/kernel/recovery.h"

#include "engine/kernel/histogram.h"

#include <stdlib.h>

enum { ANSWERS_BEFORE = 100, ANSWERS_BIN = 200, GOOD_IN_A_ROW = 2 };
#define BIN_LEAST_NS INT64_C(100000000)

enum progress { STRIKE_COMES, STRIKE_OPEN, STRIKE_RECOVERED, STRIKE_NEVER, STRIKE_TELLS_NOTHING };

/* The aftermath of one strike. */
struct aftermath {
    enum progress progress;
    int64_t until_ns;
    int64_t bin_ns, bin_end_ns; /* length of the bins, end of the one that fills */
    uint64_t wanted;            /* answers a good bin has at least */
    int64_t slow_ns;            /* an answer that took longer is slow */
    uint64_t answers, slow;     /* in the bin that fills */
    uint32_t good;              /* bins in a row, up to the one that fills */
    int64_t taken_ns;
};

struct recovery {
    const struct strike *strikes;
    uint32_t count;
    struct window measured;
    struct aftermath *aftermaths; /* [count] */
    uint32_t next;                /* the first strike that has not begun */
    uint32_t *open;               /* strikes under way, in no order */
    uint32_t open_count;
    int64_t *ends; /* of strikes, ascending; of an instant the nanosecond after it */
    uint32_t end_next;
    struct histogram before; /* latencies since `from_ns` */
    uint64_t answers;        /* likewise */
    int64_t from_ns;
};

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int64_t recovery_until(const struct strike *strikes, uint32_t count, uint32_t strike,
                       struct window measured)
{
    const struct strike *s = &strikes[strike];
    for (uint32_t i = strike + 1; i < count; i++)
        if (strikes[i].begin > s->begin && strikes[i].begin >= s->end)
            return strikes[i].begin < measured.end ? strikes[i].begin : measured.end;
    return measured.end;
}

struct recovery *recovery_begin(struct arena *arena, const struct strike *strikes, uint32_t count,
                                struct window measured)
{
    struct recovery *r = arena_new(arena, struct recovery);
    *r = (struct recovery){
        .strikes = strikes,
        .count = count,
        .measured = measured,
        .aftermaths = arena_array(arena, count, struct aftermath),
        .open = arena_array(arena, count, uint32_t),
        .ends = arena_array(arena, count, int64_t),
        .from_ns = measured.begin,
    };
    for (uint32_t i = 0; i < count; i++)
        r->ends[i] = strikes[i].end > strikes[i].begin ? strikes[i].end : strikes[i].begin + 1;
    if (count)
        qsort(r->ends, count, sizeof *r->ends, ascending);
    histogram_init(&r->before, HISTOGRAM_EXACT);
    return r;
}

/* ---- bins ---- */

/* The least of 1, 2, 5 x 10^k that is long enough. */
static int64_t bin_length(uint64_t answers, int64_t span_ns)
{
    static const int64_t steps[] = {1, 2, 5};
    for (int64_t scale = BIN_LEAST_NS; scale < INT64_MAX / 100; scale *= 10)
        for (int i = 0; i < 3; i++)
            if ((unsigned __int128)answers * (uint64_t)(scale * steps[i]) >=
                (unsigned __int128)ANSWERS_BIN * (uint64_t)span_ns)
                return scale * steps[i];
    return INT64_MAX / 2;
}

static void strike_open(struct recovery *r, uint32_t strike)
{
    struct aftermath *a = &r->aftermaths[strike];
    int64_t begin = r->strikes[strike].begin, span = begin - r->from_ns;
    a->progress = STRIKE_TELLS_NOTHING;
    a->until_ns = recovery_until(r->strikes, r->count, strike, r->measured);
    if (begin < r->measured.begin || begin >= r->measured.end || r->answers < ANSWERS_BEFORE)
        return;
    a->bin_ns = bin_length(r->answers, span);
    if (a->bin_ns > (a->until_ns - begin) / GOOD_IN_A_ROW)
        return;
    unsigned __int128 nine = (unsigned __int128)9 * r->answers * (uint64_t)a->bin_ns;
    unsigned __int128 ten = (unsigned __int128)10 * (uint64_t)span;
    a->wanted = (uint64_t)((nine + ten - 1) / ten);
    histogram_sort(&r->before);
    double p99 = histogram_at_rank(&r->before, r->answers - r->answers / 100);
    a->slow_ns = (int64_t)(p99 * 1.1);
    a->bin_end_ns = begin + a->bin_ns;
    a->progress = STRIKE_OPEN;
    r->open[r->open_count++] = strike;
}

/* Ends the bins of a strike that end by `now_ns`. False once it is known what came of it. */
static bool bins_end(const struct recovery *r, uint32_t strike, int64_t now_ns)
{
    struct aftermath *a = &r->aftermaths[strike];
    while (a->bin_end_ns <= now_ns && a->bin_end_ns <= a->until_ns) {
        bool good = a->answers >= a->wanted && a->slow * 100 <= a->answers;
        a->good = good ? a->good + 1 : 0;
        if (a->good == GOOD_IN_A_ROW) {
            a->taken_ns = a->bin_end_ns - GOOD_IN_A_ROW * a->bin_ns - r->strikes[strike].begin;
            a->progress = STRIKE_RECOVERED;
            return false;
        }
        a->answers = a->slow = 0;
        a->bin_end_ns += a->bin_ns;
    }
    if (a->bin_end_ns > a->until_ns)
        a->progress = STRIKE_NEVER;
    return a->progress == STRIKE_OPEN;
}

static void open_advance(struct recovery *r, int64_t now_ns)
{
    for (uint32_t i = 0; i < r->open_count;) {
        if (bins_end(r, r->open[i], now_ns))
            i++;
        else
            r->open[i] = r->open[--r->open_count];
    }
}

/* ---- time ---- */

static void forget(struct recovery *r, int64_t from_ns)
{
    histogram_free(&r->before);
    histogram_init(&r->before, HISTOGRAM_EXACT);
    r->answers = 0;
    r->from_ns = from_ns;
}

/* Ends and begins of strikes up to `now_ns`, in order; ends first. */
static void marks_pass(struct recovery *r, int64_t now_ns)
{
    for (;;) {
        int64_t end = r->end_next < r->count ? r->ends[r->end_next] : INT64_MAX;
        int64_t begin = r->next < r->count ? r->strikes[r->next].begin : INT64_MAX;
        if (end <= begin && end <= now_ns && end < INT64_MAX) {
            if (end > r->from_ns)
                forget(r, end);
            r->end_next++;
        } else if (begin <= now_ns && begin < INT64_MAX) {
            strike_open(r, r->next++);
        } else {
            return;
        }
    }
}

void recovery_answer(struct recovery *r, int64_t now_ns, int64_t latency_ns)
{
    if (now_ns < r->measured.begin || now_ns >= r->measured.end)
        return;
    marks_pass(r, now_ns);
    open_advance(r, now_ns);
    for (uint32_t i = 0; i < r->open_count; i++) {
        struct aftermath *a = &r->aftermaths[r->open[i]];
        a->answers++;
        a->slow += latency_ns > a->slow_ns;
    }
    if (r->next == r->count)
        return; /* nobody asks any more what it was like before */
    histogram_add(&r->before, latency_ns);
    r->answers++;
}

void recovery_end(struct recovery *r)
{
    marks_pass(r, r->measured.end);
    open_advance(r, r->measured.end);
    recovery_free(r);
}

void recovery_free(struct recovery *r)
{
    histogram_free(&r->before);
}

bool recovery_of(const struct recovery *r, uint32_t fault, int64_t *taken_ns)
{
    bool told = false;
    *taken_ns = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct aftermath *a = &r->aftermaths[i];
        if (r->strikes[i].fault != fault ||
            (a->progress != STRIKE_RECOVERED && a->progress != STRIKE_NEVER))
            continue;
        int64_t taken = a->progress == STRIKE_NEVER ? INT64_MAX : a->taken_ns;
        *taken_ns = taken > *taken_ns ? taken : *taken_ns;
        told = true;
    }
    return told;
}
