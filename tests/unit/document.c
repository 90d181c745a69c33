#include "engine/scenario/document.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct diagnostics diagnostics;
    struct document document;
};

static void begin(struct fixture *f, const char *text, size_t size)
{
    *f = (struct fixture){0};
    f->document = (struct document){.arena = &f->arena, .diagnostics = &f->diagnostics};
    document_read_text(&f->document, "t", text, size, NULL);
}

static void end(struct fixture *f)
{
    diagnostic_free(&f->diagnostics);
    arena_free(&f->arena);
}

/* What is told of the document so far; freed by the caller. */
static char *told(const struct fixture *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    diagnostic_print(&f->diagnostics, to, false);
    fclose(to);
    return text;
}

static void tells(const struct fixture *f, const char *part)
{
    char *text = told(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
    if (!strstr(text, part))
        fprintf(stderr, "wanted: %s\nsaid: %s", part, text);
    free(text);
}

static void canonical_is(const char *text, const char *expected)
{
    struct fixture f;
    begin(&f, text, strlen(text));
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.document.root);
    const char *said = document_canonical(&f.document, f.document.root);
    CU_ASSERT_STRING_EQUAL(said, expected);
    struct fixture again;
    begin(&again, said, strlen(said));
    CU_ASSERT_TRUE(again.document.root && document_equal(f.document.root, again.document.root));
    end(&again);
    end(&f);
}

static void canonical_text_does_not_depend_on_layout(void)
{
    const char *expected = "a: 1\nb:\n  - x\n  - c: \"2\"\n    d: exp(5ms)\ne: {}\nf: []\n";
    canonical_is("{a: 1, b: [x, {c: '2', d: exp(5ms)}], e: {}, f: []}", expected);
    canonical_is("a:   1 # one\nb:\n- x\n-   c: \"2\"\n    d: exp(5ms)\n\n\ne: {}\nf: [ ]\n",
                 expected);
}

static void canonical_text_quotes_what_would_be_read_otherwise(void)
{
    canonical_is("a: 'x: y'", "a: \"x: y\"\n");
    canonical_is("a: \"tab\\there\"", "a: \"tab\\u0009here\"\n");
    canonical_is("'x #y': -5ms", "\"x #y\": -5ms\n");
    canonical_is("a -> b: {'': \"\\\"\\\\\"}", "a -> b:\n  \"\": \"\\\"\\\\\"\n");
    canonical_is("a: gr\xC3\xBC\xC3\x9F dich", "a: gr\xC3\xBC\xC3\x9F dich\n");
}

static void anchors_aliases_and_merge_keys_work(void)
{
    canonical_is("x-b: &b {p: 1, q: 2}\nx-c: &c {q: 3, r: 4}\na: *b\n"
                 "m: {<<: *b, q: 5}\nn: {s: 6, <<: [*b, *c]}\n",
                 "x-b:\n  p: 1\n  q: 2\nx-c:\n  q: 3\n  r: 4\na:\n  p: 1\n  q: 2\n"
                 "m:\n  q: 5\n  p: 1\nn:\n  s: 6\n  p: 1\n  q: 2\n  r: 4\n");
}

static void scalars_stay_text_with_their_place(void)
{
    struct fixture f;
    const char text[] = "a: 010\nb: {c: '1:30', no: no}\n";
    begin(&f, text, sizeof text - 1);
    const struct node *a = document_at(&f.document, "a");
    const struct node *c = document_at(&f.document, "b.c");
    CU_ASSERT_STRING_EQUAL(a->text, "010");
    CU_ASSERT_STRING_EQUAL(c->text, "1:30");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "b.no")->text, "no");
    CU_ASSERT_FALSE(a->quoted);
    CU_ASSERT_TRUE(c->quoted);
    CU_ASSERT_EQUAL(a->place.line, 1);
    CU_ASSERT_EQUAL(a->place.column, 4);
    CU_ASSERT_EQUAL(a->place.length, 3);
    CU_ASSERT_EQUAL(c->place.line, 2);
    struct spot part = document_place(&f.document, c, 2, 2);
    CU_ASSERT_EQUAL(part.column, c->place.column + 3);
    CU_ASSERT_EQUAL(part.length, 2);
    end(&f);
}

static void paths_find_the_longest_key(void)
{
    struct fixture f;
    const char text[] = "nodes: {web: {count: 3}}\nlinks: {a <-> b.c: {latency: 1ms}, a: {x: 2}}\n"
                        "expect: [p, {q: 5}]\nvars: {ack: all}\n";
    begin(&f, text, sizeof text - 1);
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "nodes.web.count")->text, "3");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "links.a <-> b.c.latency")->text, "1ms");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "links.a.x")->text, "2");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "expect.0")->text, "p");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "expect.1.q")->text, "5");
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "ack")->text, "all");
    CU_ASSERT_PTR_NULL(document_at(&f.document, "nodes.web.cou"));
    CU_ASSERT_PTR_NULL(document_at(&f.document, "expect.2"));
    CU_ASSERT_PTR_NULL(document_at(&f.document, ""));
    end(&f);
}

static void setting_a_value_leaves_the_other_document_alone(void)
{
    struct fixture f;
    const char text[] =
        "x-base: &base {count: 1}\nnodes: {web: *base, db: *base}\nvars: {ack: a}\n";
    begin(&f, text, sizeof text - 1);
    struct document point = document_copy(&f.document, &f.arena);
    CU_ASSERT_TRUE(document_set_text(&point, "--set", "nodes.web.count={of: [2, 3]}"));
    CU_ASSERT_TRUE(document_set_text(&point, "--set", "ack=quorum"));
    CU_ASSERT_TRUE(document_set_text(&point, "--set", "nodes.db.slots=4"));
    CU_ASSERT_STRING_EQUAL(document_canonical(&point, point.root),
                           "x-base:\n  count: 1\nnodes:\n  web:\n    count:\n      of:\n"
                           "        - 2\n        - 3\n  db:\n    count: 1\n    slots: 4\n"
                           "vars:\n  ack: quorum\n");
    CU_ASSERT_STRING_EQUAL(document_canonical(&f.document, f.document.root),
                           "x-base:\n  count: 1\nnodes:\n  web:\n    count: 1\n  db:\n"
                           "    count: 1\nvars:\n  ack: a\n");
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    end(&f);
}

static void a_path_that_leads_nowhere_is_told(void)
{
    struct fixture f;
    const char text[] = "nodes: {web: {count: 3}, list: [1]}\nvars: {ack: a}\n";
    begin(&f, text, sizeof text - 1);
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "nodes.wbe.count=1"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "akc=1"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "nodes.web.count.x=1"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "nodes.list.7=1"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "nodes.web"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "ack="));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "ack=a, b"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "ack=[a"));
    CU_ASSERT_FALSE(document_set_text(&f.document, "--set", "=a"));
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 9);
    tells(&f, "--set nodes.wbe.count=1: error: there is no `wbe` in `nodes`\n"
              "      | --set nodes.wbe.count=1\n"
              "      |       ^~~~~~~~~~~~~~~\n"
              "      = did you mean `web`?\n");
    tells(&f, "`akc` is neither a top-level key nor the name of a var\n"
              "      | --set akc=1\n      |       ^~~\n      = did you mean `ack`?\n");
    tells(&f, "`nodes.web.count` is a single value, nothing stands below it");
    tells(&f, "`nodes.list` is a list of 1, it has no item `7`");
    tells(&f, "there is no `=`");
    tells(&f, "no value after `=`");
    tells(&f, "more than one value after `=`");
    tells(&f, "this is no value\n      | --set ack=[a\n      |           ^\n");
    tells(&f, "the path is empty");
    end(&f);
}

static void write_file(const char *name, const char *text)
{
    FILE *to = fopen(name, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    fputs(text, to);
    fclose(to);
}

static void includes_are_merged_and_the_including_file_wins(void)
{
    char folder[] = "/tmp/document-XXXXXX", name[64], path[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/sub", folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(name, 0700), 0);
    snprintf(path, sizeof path, "%s/main.yaml", folder);
    write_file(path, "include: [one.yaml, sub/two.yaml]\na: {x: 1}\nl: [9]\n");
    snprintf(path, sizeof path, "%s/one.yaml", folder);
    write_file(path, "a: {x: 0, y: 2}\nl: [1, 2]\nb: one\n");
    snprintf(path, sizeof path, "%s/sub/two.yaml", folder);
    write_file(path, "include: three.yaml\nb: two\n");
    snprintf(path, sizeof path, "%s/sub/three.yaml", folder);
    write_file(path, "c: three\nb: three\n");
    snprintf(path, sizeof path, "%s/out.yaml", name);
    CU_ASSERT_EQUAL(symlink("/etc/hostname", path), 0);
    struct fixture f = {0};
    f.document = (struct document){.arena = &f.arena, .diagnostics = &f.diagnostics};
    snprintf(path, sizeof path, "%s/main.yaml", folder);
    CU_ASSERT_TRUE(document_read(&f.document, path));
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 0);
    CU_ASSERT_STRING_EQUAL(document_canonical(&f.document, f.document.root),
                           "a:\n  x: 1\n  y: 2\nl:\n  - 9\nb: two\nc: three\n");
    /* A link that leads out of the folder is no way out. */
    CU_ASSERT_TRUE(document_read_text(&f.document, "t", "include: out.yaml\nx: 1\n", 23, name));
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 1);
    tells(&f, "`out.yaml` lies outside the folder");
    end(&f);
    static const char *const made[] = {
        "main.yaml", "one.yaml", "sub/two.yaml", "sub/three.yaml", "sub/out.yaml", "sub", ""};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        CU_ASSERT_EQUAL(remove(path), 0);
    }
}

/* Reading must be refused with these words. What is not refused early hangs here for hours: that is
 * how this test fails, not by a clock. */
static void refused(const char *text, size_t size, const char *words)
{
    struct fixture f;
    begin(&f, text, size);
    CU_ASSERT_PTR_NULL(f.document.root);
    CU_ASSERT_EQUAL(f.diagnostics.error_count, 1);
    tells(&f, words);
    end(&f);
}

static char *repeated(const char *piece, size_t count)
{
    size_t size = strlen(piece);
    char *text = malloc(size * count + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * size, piece, size);
    text[size * count] = '\0';
    return text;
}

static void what_would_exhaust_the_machine_is_refused(void)
{
    char *text = repeated("[", 1000000);
    refused(text, 1000000, "nested deeper than 64");
    free(text);
    text = repeated("{a: ", 250000);
    refused(text, 1000000, "nested deeper than 64");
    free(text);
    text = repeated("x", DOCUMENT_SIZE_MAX + 1);
    refused(text, DOCUMENT_SIZE_MAX + 1, "larger than 16 MiB");
    free(text);
    text = repeated("- a\n", 1000001);
    refused(text, strlen(text), "more than 1000000 values");
    free(text);
    char bomb[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 30; i++)
        snprintf(bomb + strlen(bomb), sizeof bomb - strlen(bomb),
                 "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1,
                 i - 1);
    refused(bomb, strlen(bomb), "more than 1000000 values");
    char deep[8192] = "a0: &a0 [x]\n";
    for (int i = 1; i < 200; i++)
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "a%d: &a%d [*a%d]\n", i, i,
                 i - 1);
    refused(deep, strlen(deep), "nested deeper than 64");
}

static void a_large_honest_file_is_read(void)
{
    size_t size = 0, count = 150000;
    char *text = malloc(count * 40 + 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size += (size_t)snprintf(text, 40, "nodes:\n");
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, 40, "  n%zu: {kind: x}\n", i);
    struct fixture f;
    begin(&f, text, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.document.root);
    CU_ASSERT_STRING_EQUAL(document_at(&f.document, "nodes.n149999.kind")->text, "x");
    end(&f);
    free(text);
}

SUITE("documents", TEST(canonical_text_does_not_depend_on_layout),
      TEST(canonical_text_quotes_what_would_be_read_otherwise),
      TEST(anchors_aliases_and_merge_keys_work), TEST(scalars_stay_text_with_their_place),
      TEST(paths_find_the_longest_key), TEST(setting_a_value_leaves_the_other_document_alone),
      TEST(a_path_that_leads_nowhere_is_told),
      TEST(includes_are_merged_and_the_including_file_wins),
      TEST(what_would_exhaust_the_machine_is_refused),
      TEST(a_large_honest_file_is_read))
