#include "engine/scenario/expression.h"
#include "engine/scenario/call.h"
#include "tests/suite.h"

#include <stdlib.h>

struct fixture {
    struct arena arena;
    struct diagnostics diagnostics;
    struct document document;
};

static void begin(struct fixture *f, const char *text)
{
    *f = (struct fixture){0};
    f->document = (struct document){.arena = &f->arena, .diagnostics = &f->diagnostics};
    CU_ASSERT_TRUE_FATAL(document_read_text(&f->document, "t", text, strlen(text), NULL));
    expression_resolve(&f->document, true);
}

static void end(struct fixture *f)
{
    diagnostic_free(&f->diagnostics);
    arena_free(&f->arena);
}

static void tells(const struct fixture *f, const char *part)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    diagnostic_print(&f->diagnostics, to, false);
    fclose(to);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
    if (!strstr(text, part))
        fprintf(stderr, "wanted: %s\nsaid: %s", part, text);
    free(text);
}

/* A value under vars that have one quantity of every kind. */
static void becomes(const char *value, const char *expected)
{
    char text[512];
    struct fixture f;
    snprintf(text, sizeof text,
             "vars: {t: 5ms, rate: 200/s, share: 20%%, size: 10KB, speed: 8Mbit/s, f: x2, n: 3, "
             "cost: 0.5 USD/h, d: exp($t), word: fifo}\nv: %s\n",
             value);
    begin(&f, text);
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "v")->text, expected);
    end(&f);
}

static void formulas_follow_the_units(void)
{
    becomes("$(100% - share)", "80%");
    becomes("$(100% - 5% - 35%)", "60%");
    becomes("$(2 * t)", "10ms");
    becomes("$(t + 1s)", "1.005s");
    becomes("$(rate * 2s)", "400");
    becomes("$(t / 2ms)", "2.5");
    becomes("$(3 / t)", "600/s");
    becomes("$(n / rate)", "15ms");
    becomes("$(size / speed)", "10ms");
    becomes("$(size / t)", "2MB/s");
    becomes("$(rate * size)", "2MB/s");
    becomes("$(speed * 2s)", "2MB");
    becomes("$(rate * share)", "40/s");
    becomes("$(share * share)", "4%");
    becomes("$(share / 40%)", "0.5");
    becomes("$(f * t)", "10ms");
    becomes("$(f * n)", "x6");
    becomes("$(cost * n)", "1.5 USD/h");
    becomes("$(t / 3)", "1.666667ms");
    becomes("$(-n + 5)", "2");
    becomes("$(2 + 3 * 4 - 6 / 2)", "11");
    becomes("$((2 + 3) * (4 - 1))", "15");
    becomes("$(12 / 2 / 3)", "2");
    becomes("$(10 - 3 - 2)", "5");
    becomes("$($t * 2)", "10ms");
    becomes("$(0.25 * 0.17 USD/h)", "0.0425 USD/h");
}

static void names_stand_for_values_and_arguments(void)
{
    becomes("$word", "fifo");
    becomes("exp($t)", "exp(5ms)");
    becomes("poisson($(rate * 2))", "poisson(400/s)");
    becomes("mix(90% $d + 10% exp($(2*t)))", "mix(90% exp(5ms) + 10% exp(10ms))");
    becomes("uniform($t..$(t * 3))", "uniform(5ms..15ms)");
    becomes("gamma(mean=$t cv=0.5)", "gamma(mean=5ms cv=0.5)");
    becomes("'$word'", "$word");
}

static void a_var_may_be_any_tree_and_remembers_its_user(void)
{
    struct fixture f;
    begin(&f, "vars: {r: {a: [1, $n]}, n: 7}\nname: costs 5$\nv: {w: $r}\n");
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "v.w.a.1")->text, "7");
    const struct node *w = document_at(&f.document, "v.w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->user);
    CU_ASSERT_EQUAL(w->user->place.line, 3);
    document_error(&f.document, w, NULL, "wrong");
    tells(&f, "t:1:11: error: wrong\n");
    tells(&f, "t:3:8: note: used here as `$r`\n");
    end(&f);
}

static void sweeps_wait_for_their_point_but_use_their_vars(void)
{
    struct fixture f;
    begin(&f, "vars: {t: 5ms, u: 1, unused: 2}\nsweep: {v: [exp($t), $(u + 1)]}\nv: 1\n");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "sweep.v.0")->text, "exp($t)");
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    tells(&f, "warning: no value uses the var `unused`");
    CU_ASSERT_EQUAL(f.diagnostics.entry_count, 1);
    end(&f);
}

static void fails(const char *value, const char *part)
{
    char text[512];
    struct fixture f;
    snprintf(text, sizeof text, "vars: {t: 5ms, rate: 200/s, w: fifo, a: $b, b: $(a * 2)}\nv: %s\n",
             value);
    begin(&f, text);
    CU_ASSERT_TRUE(f.diagnostics.error_count > 0);
    CU_ASSERT_EQUAL(document_at(&f.document, "v")->type, NODE_BAD);
    tells(&f, part);
    end(&f);
}

static void mistakes_in_formulas_are_told_at_their_place(void)
{
    fails("$(t + rate)", "t:2:8: error: a time and a rate cannot be added");
    fails("$(t + 1)", "a time and a number cannot be added");
    fails("$(t * t)", "the result is a product without a unit");
    fails("$(t / (1 - 1))", "a division by zero");
    fails("$(t", "the `(` is not closed");
    fails("$(w * 2)", "the var `w` is no number");
    fails("$(5 ms)", "this does not belong in a formula");
    fails("$(5xs)", "`xs` is no unit");
    fails("$(9G * 9G)", "too large");
    fails("exp($rat)", "t:2:8: error: no var is named `rat`");
    fails("$a", "is defined by itself");
    fails("a$t", "a `$` that is no name of a var");
    fails("$t$t", "a `$` that is no name of a var");
    fails("$(t)x", "a formula stands for a whole value or argument");
}

static void check_call(const char *text, const char *shape);

/* Writes a call as text in which every node shows its kind: what call_parse understood. */
static void describe(const struct call *c, char *out, size_t size)
{
    size_t at = strlen(out);
    if (c->parameter)
        at += (size_t)snprintf(out + at, size - at, "%s=", c->parameter);
    static const char *const open[] = {"", "(", "<", "["}, *const close[] = {"", ")", ">", "]"};
    snprintf(out + at, size - at, "%s%s",
             c->type == CALL_WORD || c->type == CALL_CALL ? c->text : "", open[c->type]);
    for (uint32_t i = 0; i < c->count; i++) {
        if (i)
            snprintf(out + strlen(out), size - strlen(out), "%s", c->sum ? "+" : " ");
        describe(&c->arguments[i], out, size);
    }
    snprintf(out + strlen(out), size - strlen(out), "%s", close[c->type]);
}

static void check_call(const char *text, const char *shape)
{
    struct arena arena = {0};
    struct call_problem problem;
    char said[256] = "";
    const struct call *c = call_parse(&arena, text, &problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    describe(c, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, shape);
    arena_free(&arena);
}

static void calls_ranges_and_sums_are_understood(void)
{
    check_call("round_robin", "round_robin");
    check_call("exp(5ms)", "exp(5ms)");
    check_call("uniform(1ms..9ms)", "uniform(<1ms 9ms>)");
    check_call("lognormal(p50=4ms p99=20ms)", "lognormal(p50=4ms p99=20ms)");
    check_call("mix(90% exp(1ms) + 10% exp(20ms))", "mix([90% exp(1ms)]+[10% exp(20ms)])");
    check_call("shift(0.2ms + exp(1ms))", "shift([0.2ms]+[exp(1ms)])");
    check_call("hotspot(20% of 1M gets 80%)", "hotspot(20% of 1M gets 80%)");
    check_call("5min..7min poisson(100/s..1k/s)", "[<5min 7min> poisson(<100/s 1k/s>)]");
    check_call("200/s..1400/s step 200/s", "[<200/s 1400/s> step 200/s]");
    check_call("empirical(file.csv column=latency unit=ms)",
               "empirical(file.csv column=latency unit=ms)");
    check_call("fresh()", "fresh()");
    check_call("  a  ", "a");
    check_call("x=exp(1ms)", "x=exp(1ms)");
}

static void offsets_point_into_the_text(void)
{
    struct arena arena = {0};
    struct call_problem problem;
    const struct call *c = call_parse(&arena, "gamma(mean=5ms  cv=0.5)", &problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->length, 23);
    CU_ASSERT_EQUAL(c->arguments[1].parameter_offset, 16);
    CU_ASSERT_EQUAL(c->arguments[1].offset, 19);
    CU_ASSERT_EQUAL(c->arguments[1].length, 3);
    arena_free(&arena);
}

static void no_call(const char *text, const char *message, uint32_t offset)
{
    struct arena arena = {0};
    struct call_problem problem;
    CU_ASSERT_PTR_NULL(call_parse(&arena, text, &problem));
    CU_ASSERT_STRING_EQUAL(problem.message, message);
    CU_ASSERT_EQUAL(problem.offset, offset);
    arena_free(&arena);
}

static void what_is_no_call_is_refused_at_its_place(void)
{
    no_call("gamma(mean=5ms, cv=1)", "a comma between arguments", 14);
    no_call("exp(5ms", "the `(` of `exp` is not closed", 3);
    no_call("exp(5ms))", "a `)` without its `(`", 8);
    no_call("(5ms)", "a `(` without a name", 0);
    no_call("5(x)", "`5` is no name of a call", 0);
    no_call("1ms..", "a range without its end", 3);
    no_call("1..2..3", "a range has two ends", 4);
    no_call("f(+ 2)", "nothing stands in front of the `+`", 2);
    no_call("f(2 +)", "nothing stands behind the `+`", 4);
    no_call("f(a= 2)", "a space behind `a=`", 3);
    no_call("", "a value is missing here", 0);
    no_call("f(a)b", "a space is missing here", 4);
    no_call("f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(1)))))))))))))))))",
            "calls are nested deeper than 16", 33);
}

SUITE("vars, formulas and calls", TEST(formulas_follow_the_units),
      TEST(names_stand_for_values_and_arguments),
      TEST(a_var_may_be_any_tree_and_remembers_its_user),
      TEST(sweeps_wait_for_their_point_but_use_their_vars),
      TEST(mistakes_in_formulas_are_told_at_their_place),
      TEST(calls_ranges_and_sums_are_understood), TEST(offsets_point_into_the_text),
      TEST(what_is_no_call_is_refused_at_its_place))
