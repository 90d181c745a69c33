#include "engine/scenario/diagnostic.h"
#include "tests/suite.h"

#include <stdlib.h>

/* Everything printed, in plain text; freed by the caller. */
static char *printed(const struct diagnostics *d, bool colour)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    diagnostic_print(d, to, colour);
    fclose(to);
    return text;
}

static void says(const struct diagnostics *d, const char *expected)
{
    char *text = printed(d, false);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "%s", text);
    free(text);
}

static void an_error_shows_its_line_a_caret_and_a_hint(void)
{
    struct diagnostics d = {0};
    const char text[] = "links:\n  a -> b: {latncy: 5ms}\n";
    uint32_t s = diagnostic_source(&d, "shop.yaml", text, sizeof text - 1);
    static const char *const keys[] = {"latency", "loss", "bandwidth"};
    diagnostic_error(&d, (struct spot){s, 2, 12, 6}, diagnostic_suggest(&d, "latncy", keys, 3),
                     "unknown key `%s` of a link", "latncy");
    says(&d, "shop.yaml:2:12: error: unknown key `latncy` of a link\n"
             "    2 |   a -> b: {latncy: 5ms}\n"
             "      |            ^~~~~~\n"
             "      = did you mean `latency`?\n");
    diagnostic_free(&d);
}

static void columns_count_characters_behind_a_mark_and_in_any_line_ends(void)
{
    struct diagnostics d = {0};
    const char text[] = "\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F: 1\r\n\xE5\x85\xA5: 2\rlast: 3\n";
    uint32_t s = diagnostic_source(&d, "a", text, sizeof text - 1);
    struct spot spot = diagnostic_at(&d, s, 11, 1);
    CU_ASSERT_EQUAL(spot.line, 1);
    CU_ASSERT_EQUAL(spot.column, 7);
    spot = diagnostic_at(&d, s, 19, 1);
    CU_ASSERT_EQUAL(spot.line, 2);
    CU_ASSERT_EQUAL(spot.column, 4);
    spot = diagnostic_at(&d, s, strlen(text) - 2, 100);
    CU_ASSERT_EQUAL(spot.line, 3);
    CU_ASSERT_EQUAL(spot.column, 7);
    CU_ASSERT_EQUAL(spot.length, 1);
    diagnostic_error(&d, spot, NULL, "three");
    says(&d, "a:3:7: error: three\n    3 | last: 3\n      |       ^\n");
    diagnostic_free(&d);
}

static void errors_are_sorted_by_place_and_told_once(void)
{
    struct diagnostics d = {0};
    uint32_t a = diagnostic_source(&d, "a", "x\ny\n", 4);
    uint32_t b = diagnostic_source(&d, "b", "z\n", 2);
    diagnostic_error(&d, (struct spot){b, 1, 1, 1}, NULL, "fourth");
    diagnostic_error(&d, (struct spot){a, 2, 1, 1}, NULL, "second");
    diagnostic_error(&d, (struct spot){a, 2, 1, 1}, NULL, "third");
    diagnostic_error(&d, (struct spot){a, 2, 1, 1}, NULL, "second");
    diagnostic_warning(&d, (struct spot){a, 1, 1, 1}, NULL, "first");
    CU_ASSERT_EQUAL(d.error_count, 3);
    says(&d, "a:1:1: warning: first\n    1 | x\n      | ^\n"
             "a:2:1: error: second\n    2 | y\n      | ^\n"
             "a:2:1: error: third\n    2 | y\n      | ^\n"
             "b:1:1: error: fourth\n    1 | z\n      | ^\n");
    diagnostic_free(&d);
}

static void of_many_errors_twenty_are_shown_for_each_file(void)
{
    struct diagnostics d = {0};
    char text[2000];
    memset(text, '\n', sizeof text);
    uint32_t a = diagnostic_source(&d, "a", text, sizeof text);
    uint32_t b = diagnostic_source(&d, "b", text, sizeof text);
    for (uint32_t i = 1; i <= 1000; i++)
        diagnostic_error(&d, (struct spot){a, i, 1, 1}, NULL, "number %u", (unsigned)i);
    for (uint32_t i = 1; i <= 21; i++)
        diagnostic_error(&d, (struct spot){b, i, 1, 1}, NULL, "number %u", (unsigned)i);
    char *said = printed(&d, false);
    CU_ASSERT_EQUAL(d.error_count, 1021);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "a:20:1: error: number 20\n"));
    CU_ASSERT_PTR_NULL(strstr(said, "a:21:1:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "a: and 980 more errors\n"));
    free(said);
    diagnostic_free(&d);
}

static void an_option_is_shown_without_line_and_column(void)
{
    struct diagnostics d = {0};
    uint32_t s = diagnostic_option(&d, "--set nodes.web.count=x");
    diagnostic_error(&d, diagnostic_at(&d, s, 22, 1), NULL, "no number");
    says(&d, "--set nodes.web.count=x: error: no number\n"
             "      | --set nodes.web.count=x\n"
             "      |                       ^\n");
    diagnostic_free(&d);
}

static void nothing_from_a_file_reaches_the_terminal_as_a_command(void)
{
    struct diagnostics d = {0};
    const char text[] = "a\033[31m\tb\xFF\n";
    uint32_t s = diagnostic_source(&d, "n\033ame", text, sizeof text - 1);
    diagnostic_error(&d, (struct spot){s, 1, 7, 1}, "h\007int", "m%cessage", '\033');
    says(&d, "n?ame:1:7: error: m?essage\n"
             "    1 | a?[31m b\xEF\xBF\xBD\n"
             "      |       ^\n"
             "      = h?int\n");
    diagnostic_free(&d);
}

static void colours_are_for_terminals_only(void)
{
    struct diagnostics d = {0};
    uint32_t s = diagnostic_source(&d, "a", "x", 1);
    diagnostic_error(&d, (struct spot){s, 1, 1, 1}, NULL, "e");
    char *plain = printed(&d, false), *colour = printed(&d, true);
    CU_ASSERT_PTR_NULL(strchr(plain, '\033'));
    CU_ASSERT_PTR_NOT_NULL(strstr(colour, "\033[1;31merror:\033[0m e"));
    free(plain);
    free(colour);
    diagnostic_free(&d);
}

static void a_note_shows_a_second_place(void)
{
    struct diagnostics d = {0};
    uint32_t s = diagnostic_source(&d, "a", "x\ny", 3);
    diagnostic_error(&d, (struct spot){s, 2, 1, 1}, NULL, "twice");
    diagnostic_note(&d, (struct spot){s, 1, 1, 1}, "the first stands here");
    says(&d, "a:2:1: error: twice\n    2 | y\n      | ^\n"
             "a:1:1: note: the first stands here\n    1 | x\n      | ^\n");
    diagnostic_free(&d);
}

static void the_nearest_name_is_near(void)
{
    static const char *const words[] = {"latency", "loss", "queue", "slots", "to"};
    CU_ASSERT_STRING_EQUAL(diagnostic_nearest("latncy", words, 5), "latency");
    CU_ASSERT_STRING_EQUAL(diagnostic_nearest("lantecy", words, 5), "latency");
    CU_ASSERT_STRING_EQUAL(diagnostic_nearest("slot", words, 5), "slots");
    CU_ASSERT_STRING_EQUAL(diagnostic_nearest("qeuue", words, 5), "queue");
    CU_ASSERT_STRING_EQUAL(diagnostic_nearest("los", words, 5), "loss");
    CU_ASSERT_PTR_NULL(diagnostic_nearest("bandwidth", words, 5));
    CU_ASSERT_PTR_NULL(diagnostic_nearest("xy", words, 5));
    CU_ASSERT_PTR_NULL(diagnostic_nearest("", words, 5));
    CU_ASSERT_PTR_NULL(diagnostic_nearest("latency", NULL, 0));
}

SUITE("diagnostics", TEST(an_error_shows_its_line_a_caret_and_a_hint),
      TEST(columns_count_characters_behind_a_mark_and_in_any_line_ends),
      TEST(errors_are_sorted_by_place_and_told_once),
      TEST(of_many_errors_twenty_are_shown_for_each_file),
      TEST(an_option_is_shown_without_line_and_column),
      TEST(nothing_from_a_file_reaches_the_terminal_as_a_command),
      TEST(colours_are_for_terminals_only), TEST(a_note_shows_a_second_place),
      TEST(the_nearest_name_is_near))
