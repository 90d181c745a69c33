#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "plot/folder.h"
#include "plot/grid.h"
#include "plot/pick.h"
#include "plot/quantity.h"
#include "plot/roster.h"
#include "plot/rows.h"
#include "plot/run_json.h"
#include "plot/scale.h"
#include "plot/scripts.h"
#include "plot/sheet.h"

/* A file with that text; the caller unlinks it. */
static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

static char path[] = "/tmp/orrery-plot-XXXXXX";

static void open_text(struct rows *rows, const char *text)
{
    memcpy(path, "/tmp/orrery-plot-XXXXXX", sizeof path);
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0);
    close(file);
    write_text(path, text);
    rows_open(rows, path);
    unlink(path);
}

static void quoted_fields_hold_commas_quotes_and_line_breaks(void)
{
    struct rows rows;
    open_text(&rows, "node,value\r\n\"a,\"\"b\"\"\n`c`\",1.5\n,\n\nlast,NaN");
    CU_ASSERT_EQUAL(rows_column(&rows, "value"), 1);
    CU_ASSERT_EQUAL(rows_column(&rows, "Value"), ROWS_NO_COLUMN);
    CU_ASSERT_FATAL(rows_next(&rows));
    CU_ASSERT_STRING_EQUAL(rows_field(&rows, 0), "a,\"b\"\n`c`");
    CU_ASSERT_EQUAL(rows_number(&rows, 1), 1.5);
    CU_ASSERT_FATAL(rows_next(&rows));
    CU_ASSERT_STRING_EQUAL(rows_field(&rows, 0), "");
    CU_ASSERT(isnan(rows_number(&rows, 1)));
    CU_ASSERT_FATAL(rows_next(&rows));
    CU_ASSERT_EQUAL(rows.line, 6);
    CU_ASSERT_STRING_EQUAL(rows_field(&rows, 0), "last");
    CU_ASSERT(isnan(rows_number(&rows, 1)));
    CU_ASSERT_STRING_EQUAL(rows_field(&rows, 2), "");
    CU_ASSERT_FALSE(rows_next(&rows));
    CU_ASSERT_PTR_NULL(rows.error);
    rows_close(&rows);
}

static void a_file_cut_within_quotes_is_an_error(void)
{
    struct rows rows;
    open_text(&rows, "node\nweb\n\"we");
    CU_ASSERT(rows_next(&rows));
    CU_ASSERT_FALSE(rows_next(&rows));
    CU_ASSERT_STRING_EQUAL(rows.error, "a quoted field that does not end");
    CU_ASSERT_EQUAL(rows.line, 3);
    rows_close(&rows);
    open_text(&rows, "");
    CU_ASSERT_STRING_EQUAL(rows.error, "an empty file");
    rows_close(&rows);
}

static void values_with_units_are_numbers_and_words_are_not(void)
{
    static const struct {
        const char *text;
        double value;
        enum plot_dimension dimension;
    } good[] = {
        {"200/s", 200, PLOT_DIMENSION_RATE},
        {"1.4k/s", 1400, PLOT_DIMENSION_RATE},
        {"120/min", 2, PLOT_DIMENSION_RATE},
        {"5ms", 0.005, PLOT_DIMENSION_TIME},
        {"2h", 7200, PLOT_DIMENSION_TIME},
        {"10k", 10000, PLOT_DIMENSION_NUMBER},
        {"2M", 2e6, PLOT_DIMENSION_NUMBER},
        {"-3", -3, PLOT_DIMENSION_NUMBER},
        {"1e3", 1000, PLOT_DIMENSION_NUMBER},
        {"80%", 0.8, PLOT_DIMENSION_SHARE},
        {"64MiB", 67108864, PLOT_DIMENSION_BYTES},
        {"x4", 4, PLOT_DIMENSION_FACTOR},
        {"10 Mbit/s", 1e7, PLOT_DIMENSION_BANDWIDTH},
    };
    static const char *const bad[] = {"random", "",     "exp(5ms)", "5 parsecs", "x",     "inf",
                                      "nan",    "0x10", "5ms ",     ".",         "10kms", "x4ms"};
    struct plot_quantity q;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CU_ASSERT_FATAL(plot_quantity_read(good[i].text, &q));
        CU_ASSERT_DOUBLE_EQUAL(q.value, good[i].value, 1e-12 * fabs(good[i].value));
        CU_ASSERT_EQUAL(q.dimension, good[i].dimension);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(plot_quantity_read(bad[i], &q));
}

static void an_axis_shows_all_values_in_the_first_unit(void)
{
    static const char *const times[] = {"0", "500us", "2ms", "0.1s"};
    static const char *const mixed[] = {"5ms", "5/s"};
    double numbers[4];
    const char *unit;
    CU_ASSERT_FATAL(plot_quantity_axis(times, 4, numbers, &unit));
    CU_ASSERT_STRING_EQUAL(unit, "us");
    CU_ASSERT_EQUAL(numbers[0], 0);
    CU_ASSERT_DOUBLE_EQUAL(numbers[2], 2000, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(numbers[3], 100000, 1e-7);
    CU_ASSERT_FALSE(plot_quantity_axis(mixed, 2, numbers, &unit));
}

static void a_roster_numbers_names_by_their_first_appearance(void)
{
    struct arena arena = {0};
    struct roster roster = {.arena = &arena};
    char name[16];
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "web.%zu", i);
            CU_ASSERT_EQUAL_FATAL(roster_add(&roster, name), i);
        }
    CU_ASSERT_EQUAL(roster.count, 1000);
    CU_ASSERT_STRING_EQUAL(roster.names[421], "web.421");
    CU_ASSERT_EQUAL(roster_find(&roster, "web.1000"), ROSTER_UNKNOWN);
    arena_free(&arena);
}

static void only_top_level_keys_of_run_json_count(void)
{
    struct arena arena = {0};
    const char *text = "{ \"scenario\": {\"name\": \"inner\", \"x\": [1, {\"seed\": 5}]},\n"
                       "\"name\": \"caf\\u00e9 \\ud83d\\ude00 \\\"q\\\" \\ud800\\u0000\","
                       " \"seed\" :18446744073709551615, \"complete\": true, \"cut\": [1";
    CU_ASSERT_STRING_EQUAL(run_json_value(&arena, text, "name"),
                           "caf\u00e9 \U0001F600 \"q\" \uFFFD\uFFFD");
    CU_ASSERT_STRING_EQUAL(run_json_value(&arena, text, "seed"), "18446744073709551615");
    CU_ASSERT_STRING_EQUAL(run_json_value(&arena, text, "complete"), "true");
    CU_ASSERT_PTR_NULL(run_json_value(&arena, text, "x"));
    CU_ASSERT_PTR_NULL(run_json_value(&arena, text, "scenario"));
    CU_ASSERT_PTR_NULL(run_json_value(&arena, text, "cut"));
    CU_ASSERT_PTR_NULL(run_json_value(&arena, "", "name"));
    CU_ASSERT_PTR_NULL(run_json_value(&arena, "[1, 2", "name"));
    arena_free(&arena);
}

static void text_for_gnuplot_cannot_leave_its_quotes(void)
{
    struct arena a = {0};
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "a\"b\\n\n\tc\x7f", SHEET_ANY, false),
                           "a\u201Db\\\\n  c ");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "`x` $(y) {z}_1", SHEET_ANY, false), "`x` $(y) {z}_1");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "a & b &#x0;", SHEET_ANY, false), "a & b \uFF06#x0;");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "50%", SHEET_ANY, false), "50%");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "50%", SHEET_ANY, true), "50%%");
    /* Overlong, lone continuation, surrogate, beyond Unicode, cut short. */
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "\xC0\xAF", SHEET_ANY, false), "\uFFFD\uFFFD");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "\xED\xA0\x80", SHEET_ANY, false), "\uFFFD\uFFFD\uFFFD");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "\xF4\x90\x80\x80", 2, false), "\uFFFD\u2026");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "caf\u00e9\xC3", SHEET_ANY, false), "caf\u00e9\uFFFD");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "\u00e9\u00e9\u00e9\u00e9", 3, false),
                           "\u00e9\u00e9\u2026");
    CU_ASSERT_STRING_EQUAL(sheet_clean(&a, "\u00e9\u00e9\u00e9", 3, false), "\u00e9\u00e9\u00e9");
    arena_free(&a);
}

static void chosen_points_are_spread_from_the_first_to_the_last(void)
{
    size_t chosen[PICK_MAX];
    pick_spread(12, 7, chosen);
    CU_ASSERT_EQUAL(chosen[0], 0);
    CU_ASSERT_EQUAL(chosen[6], 11);
    for (size_t i = 1; i < 7; i++)
        CU_ASSERT(chosen[i] > chosen[i - 1] && chosen[i] - chosen[i - 1] <= 2);
    pick_spread(3, 3, chosen);
    CU_ASSERT(chosen[0] == 0 && chosen[1] == 1 && chosen[2] == 2);
    pick_spread(1, 1, chosen);
    CU_ASSERT_EQUAL(chosen[0], 0);
}

/* A folder in memory: nodes of which the third and ninth are clients, the last an instance. */
static void fill(struct folder *folder, struct folder_node *nodes, size_t points)
{
    for (size_t i = 0; i < 10; i++)
        nodes[i] = (struct folder_node){.name = "n",
                                        .latency = true,
                                        .client = i == 2 || i == 8,
                                        .parent = i == 9 ? 0 : FOLDER_NONE};
    *folder = (struct folder){.nodes = nodes, .node_count = 10, .point_count = points};
}

static bool any(const struct folder_node *node)
{
    return node->latency;
}

static void clients_come_first_and_seven_lines_are_enough(void)
{
    struct folder_node nodes[10];
    struct folder folder;
    struct pick pick;
    size_t found[10];
    fill(&folder, nodes, 1);
    size_t count = pick_nodes(&folder, any, found);
    CU_ASSERT_EQUAL(count, 9);
    CU_ASSERT(found[0] == 2 && found[1] == 8 && found[2] == 0 && found[8] == 7);
    pick_lines(&folder, found, count, &pick);
    CU_ASSERT_EQUAL(pick.count, 7);
    CU_ASSERT_STRING_EQUAL(pick_left_out(&folder, &pick), "drawn: 7 of 9 nodes");
    arena_free(&folder.arena);
    fill(&folder, nodes, 3);
    pick_lines(&folder, found, 2, &pick);
    CU_ASSERT(pick.count == 6 && pick.by_node && pick.by_point);
    CU_ASSERT_STRING_EQUAL(pick_left_out(&folder, &pick), "");
    fill(&folder, nodes, 40);
    pick_lines(&folder, found, 2, &pick);
    CU_ASSERT(pick.count == 7 && !pick.by_node);
    CU_ASSERT(pick.lines[6].point == 39 && pick.lines[6].node == 2);
    CU_ASSERT_STRING_EQUAL(pick_left_out(&folder, &pick), "drawn: 1 of 2 nodes, 7 of 40 points");
    arena_free(&folder.arena);
}

static void axes_begin_and_end_at_1_2_5(void)
{
    CU_ASSERT_DOUBLE_EQUAL(scale_below(7), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(scale_below(0.0031), 0.002, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(scale_above(2.1), 5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(scale_above(600), 1000, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(scale_above(1000), 1000, 1e-9);
    CU_ASSERT_TRUE(scale_choose(1, 100).logarithmic);
    CU_ASSERT_DOUBLE_EQUAL(scale_choose(1, 100).low, 0.5, 1e-12); /* no line lies on the axis */
    CU_ASSERT_FALSE(scale_choose(30, 100).logarithmic);
    CU_ASSERT_EQUAL(scale_choose(30, 100).low, 0);
    CU_ASSERT(scale_choose(HUGE_VAL, 0).high > 0);
    CU_ASSERT(scale_choose(0, 0).high > 0);
}

static void axes_come_from_the_swept_parameters(void)
{
    static const char *texts[6][2] = {{"lru", "1s"},   {"lru", "90s"},   {"lru", "500ms"},
                                      {"sieve", "1s"}, {"sieve", "90s"}, {"sieve", "500ms"}};
    static const char *names[2] = {"nodes.edge.eviction", "ttl"};
    struct folder_point points[6];
    for (size_t i = 0; i < 6; i++)
        points[i] = (struct folder_point){(long)i + 1, texts[i]};
    struct folder folder = {
        .points = points, .point_count = 6, .parameters = names, .parameter_count = 2};
    struct grid_axis x, y;
    grid_axis_choose(&folder, true, FOLDER_NONE, &x);
    grid_axis_choose(&folder, false, x.parameter, &y);
    CU_ASSERT(x.parameter == 1 && x.count == 3 && x.numeric);
    CU_ASSERT(y.parameter == 0 && y.count == 2 && !y.numeric);
    CU_ASSERT_STRING_EQUAL(x.texts[0], "500ms");
    CU_ASSERT_DOUBLE_EQUAL(x.numbers[2], 90, 1e-12);
    CU_ASSERT_EQUAL(grid_position(&folder, &x, 1), 2);
    CU_ASSERT_EQUAL(grid_position(&folder, &y, 5), 1);
    CU_ASSERT_STRING_EQUAL(grid_title(&folder, &x), "ttl (s)");
    CU_ASSERT_STRING_EQUAL(grid_title(&folder, &y), "edge.eviction");
    arena_free(&folder.arena);
}

static void a_sweep_too_large_for_a_picture_is_cut_at_its_last_point(void)
{
    static const char *texts[8][2] = {{"lru", "1s"},   {"lru", "2s"},   {"lru", "3s"},
                                      {"lru", "4s"},   {"sieve", "1s"}, {"sieve", "2s"},
                                      {"sieve", "3s"}, {"sieve", "4s"}};
    static const char *names[2] = {"nodes.edge.eviction", "ttl"};
    struct folder_point points[8];
    for (size_t i = 0; i < 8; i++)
        points[i] = (struct folder_point){(long)i + 1, texts[i]};
    struct folder folder = {
        .points = points, .point_count = 8, .parameters = names, .parameter_count = 2};
    size_t slice[PICK_MAX], count = 0;
    CU_ASSERT_EQUAL(pick_slice(&folder, PICK_MAX, slice, &count), 0);
    CU_ASSERT(count == 2 && slice[0] == 3 && slice[1] == 7);
    CU_ASSERT_STRING_EQUAL(pick_slice_label(&folder, 3, 0), "at ttl 4s");
    CU_ASSERT_STRING_EQUAL(pick_point_label(&folder, 3, 0), "edge.eviction lru");
    CU_ASSERT_STRING_EQUAL(pick_point_label(&folder, 3, FOLDER_NONE), "edge.eviction lru, ttl 4s");
    folder.parameters++;
    folder.parameter_count = 1;
    for (size_t i = 0; i < 8; i++)
        points[i].values++;
    CU_ASSERT_EQUAL(pick_slice(&folder, PICK_MAX, slice, &count), FOLDER_NONE);
    arena_free(&folder.arena);
}

static void every_picture_has_its_script_in_the_program(void)
{
    static const char *const names[] = {"backlog", "balance", "heat",  "hits",    "latency",
                                        "load",    "queue",   "style", "timeline"};
    CU_ASSERT_EQUAL_FATAL(plot_script_count, 9);
    for (size_t i = 0; i < 9; i++) {
        CU_ASSERT_STRING_EQUAL(plot_scripts[i].name, names[i]);
        CU_ASSERT(strstr(plot_scripts[i].text,
                         i == 7 ? "set encoding utf8" : "load \"style.gp\"") != NULL);
    }
}

SUITE("plot", TEST(quoted_fields_hold_commas_quotes_and_line_breaks),
      TEST(a_file_cut_within_quotes_is_an_error),
      TEST(values_with_units_are_numbers_and_words_are_not),
      TEST(an_axis_shows_all_values_in_the_first_unit),
      TEST(a_roster_numbers_names_by_their_first_appearance),
      TEST(only_top_level_keys_of_run_json_count), TEST(text_for_gnuplot_cannot_leave_its_quotes),
      TEST(chosen_points_are_spread_from_the_first_to_the_last),
      TEST(clients_come_first_and_seven_lines_are_enough), TEST(axes_begin_and_end_at_1_2_5),
      TEST(axes_come_from_the_swept_parameters),
      TEST(a_sweep_too_large_for_a_picture_is_cut_at_its_last_point),
      TEST(every_picture_has_its_script_in_the_program))
