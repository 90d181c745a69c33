/* Recorded histories: the search against brute force, and the zones against the search. */
#include "output/recorded.h"
#include "engine/kernel/random.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 7, TEXT = 4096 };

struct dice {
    uint64_t state;
};

static uint32_t below(struct dice *d, uint32_t n)
{
    d->state = random_mix(d->state + 1);
    return (uint32_t)(d->state % n);
}

/* A history of one key as CSV. With `once` every value is written once. Times may coincide. */
static size_t make(char *text, uint64_t seed, bool once)
{
    struct dice d = {seed * 2 + 1};
    static const char *const statuses[] = {"ok", "ok", "ok", "info", "fail"};
    size_t size =
        (size_t)snprintf(text, TEXT, "process,op,key,value,invoke_ns,complete_ns,status\n");
    uint32_t count = 2 + below(&d, MOST - 1), values = 1 + below(&d, 4), cas = below(&d, 4);
    uint32_t horizon = 4 + below(&d, 24);
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t begin = below(&d, horizon), end = begin + below(&d, 9);
        uint32_t kind = below(&d, 4), of = once ? below(&d, count + 1) : below(&d, values + 1);
        const char *status = statuses[below(&d, 5)];
        uint32_t own = once ? i : 1 + below(&d, values);
        char done[16] = "";
        if (strcmp(status, "info") || below(&d, 2))
            snprintf(done, sizeof done, "%u", end);
        if (kind < 2)
            size += (size_t)snprintf(text + size, TEXT - size, "%u,read,x,%u,%u,%s,%s\n", i, of,
                                     begin, done, status);
        else if (kind == 2 || below(&d, 4) >= cas)
            size += (size_t)snprintf(text + size, TEXT - size, "%u,write,x,%u,%u,%s,%s\n", i, own,
                                     begin, done, status);
        else
            size += (size_t)snprintf(text + size, TEXT - size, "%u,cas,x,%u:%u,%u,%s,%s\n", i, of,
                                     own, begin, done, status);
    }
    return size;
}

/* ---- brute force ---- */

static bool certain(const struct history_operation *o, bool mismatch)
{
    return o->status == HISTORY_OK ||
           (mismatch && o->status == HISTORY_FAIL && o->type == HISTORY_CAS);
}

static bool fits(const struct history *h, uint32_t left, uint32_t value, bool mismatch)
{
    bool over = true;
    for (uint32_t i = 0; i < h->count; i++)
        over = over && (!(left >> i & 1) || !certain(&h->operations[i], mismatch));
    if (over)
        return true;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct history_operation *o = &h->operations[i];
        bool sure = certain(o, mismatch), failed = o->status == HISTORY_FAIL;
        bool first = left >> i & 1 && (sure || (!failed && o->type != HISTORY_READ));
        for (uint32_t k = 0; k < h->count; k++)
            first = first && !(left >> k & 1 && certain(&h->operations[k], mismatch) &&
                               h->operations[k].complete < o->invoke);
        if (!first || (o->type == HISTORY_READ && o->value != value) ||
            (o->type == HISTORY_CAS && (o->from == value) == failed))
            continue;
        bool changes = o->type != HISTORY_READ && !failed;
        if (fits(h, left & ~(1u << i), changes ? o->value : value, mismatch))
            return true;
    }
    return false;
}

/* ---- both against it ---- */

static void compare(bool once, bool mismatch, uint32_t *yes, uint32_t *by_zones)
{
    enum { HISTORIES = 60000 };
    char text[TEXT];
    uint32_t wrong = 0;
    *yes = *by_zones = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct history_problem problem;
        struct history *h = history_parse(text, make(text, seed, once), &problem);
        CU_ASSERT_PTR_NOT_NULL_FATAL(h);
        struct recorded_options options = {
            .initial = "0", .cas_mismatch = mismatch, .budget = 1000000};
        struct recorded_key key;
        uint32_t zero = history_text(h, "0", 1);
        bool good = fits(h, (1u << h->count) - 1, zero, mismatch);
        recorded_judge(h, &options, &key);
        struct wing_gong w = {.initial = zero, .cas_mismatch = mismatch, .budget = 1000000};
        enum linearizable searched = wing_gong_judge(&w, h, 0);
        *yes += good;
        *by_zones += !key.searched;
        bool differ = (key.verdict == LINEARIZABLE_YES) != good ||
                      (searched == LINEARIZABLE_YES) != good || searched == LINEARIZABLE_UNKNOWN ||
                      (!good && !key.line);
        if (differ && !wrong++) {
            make(text, seed, once);
            printf("linearizable: %d, judged %d, searched %d\n%s\n", good, key.verdict, searched,
                   text);
        }
        history_free(h);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(*yes > HISTORIES / 8 && *yes < HISTORIES - HISTORIES / 8);
}

static void values_that_come_twice_are_searched(void)
{
    uint32_t yes, zones;
    compare(false, false, &yes, &zones);
    compare(false, true, &yes, &zones);
}

static void values_written_once_are_judged_by_zones(void)
{
    uint32_t yes, zones;
    compare(true, false, &yes, &zones);
    CU_ASSERT_TRUE(zones > 50000);
}

/* Growing values: every order of the appends is another value. */
static void appends_are_remembered_in_order(void)
{
    static const char *const reads[] = {"abc", "bac", "ab", "acb"};
    static const bool good[] = {true, true, true, false};
    for (int i = 0; i < 4; i++) {
        char text[TEXT];
        struct history_problem problem;
        struct recorded_options options = {.budget = 1000};
        struct recorded_key key;
        int size = snprintf(text, sizeof text,
                            "process,op,key,value,invoke_ns,complete_ns,status\n"
                            "1,append,x,a,0,10,ok\n2,append,x,b,5,15,ok\n3,append,x,c,20,,info\n"
                            "4,read,x,%s,30,40,ok\n",
                            reads[i]);
        struct history *h = history_parse(text, (size_t)size, &problem);
        CU_ASSERT_PTR_NOT_NULL_FATAL(h);
        recorded_judge(h, &options, &key);
        CU_ASSERT_EQUAL(key.verdict == LINEARIZABLE_YES, good[i]);
        history_free(h);
    }
}

static void sessions_are_judged_by_times(void)
{
    char text[] = "process,op,key,value,invoke_ns,complete_ns,status,session\n"
                  "1,write,x,a,0,10,ok,p\n1,write,x,b,20,30,ok,p\n1,read,x,a,40,50,ok,p\n"
                  "2,read,x,b,40,50,ok,q\n2,read,x,a,60,70,ok,q\n3,read,x,a,60,70,ok,r\n";
    struct history_problem problem;
    struct recorded_options options = {.budget = 1000};
    struct recorded_key key;
    struct history *h = history_parse(text, sizeof text - 1, &problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    recorded_judge(h, &options, &key);
    CU_ASSERT_EQUAL(key.own_reads, 1);
    CU_ASSERT_EQUAL(key.own_violations, 1);
    CU_ASSERT_EQUAL(key.again_reads, 1);
    CU_ASSERT_EQUAL(key.again_violations, 1);
    history_free(h);
}

SUITE("recorded histories", TEST(values_that_come_twice_are_searched),
      TEST(values_written_once_are_judged_by_zones), TEST(appends_are_remembered_in_order),
      TEST(sessions_are_judged_by_times))
