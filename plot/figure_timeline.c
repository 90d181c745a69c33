/* Throughput and p99 latency of the clients by simulated time, with what struck when. */
#include <math.h>
#include <string.h>

#include "plot/course.h"
#include "plot/figure.h"
#include "plot/scale.h"

enum { WINDOWS_MAX = 12, BANDS_MAX_LINES = 3 };

/* One fault as it struck, in the first replication that has any. */
struct window {
    double start_s, end_s;
    const char *name;
    unsigned row; /* of its name, so that names of neighbours do not lie on each other */
};

struct windows {
    struct window items[WINDOWS_MAX];
    size_t count;
    bool left_out; /* more than we show */
    bool vary;     /* other replications were struck at other times */
};

enum { POINT, REPLICATION, START, END, NAME, ACTION, COLUMNS };
static const char *const columns[] = {"point", "replication", "start_s", "end_s", "name", "action"};

static bool is_client(const struct folder_node *node)
{
    return node->client;
}

static size_t find_window(const struct windows *windows, const struct window *window)
{
    size_t i = 0;
    while (i < windows->count && (windows->items[i].start_s != window->start_s ||
                                  windows->items[i].end_s != window->end_s ||
                                  strcmp(windows->items[i].name, window->name) != 0))
        i++;
    return i;
}

static void add_window(struct folder *folder, struct windows *windows, struct window window,
                       bool first)
{
    if (find_window(windows, &window) < windows->count)
        return;
    if (!first) {
        windows->vary |= !windows->left_out;
    } else if (windows->count == WINDOWS_MAX) {
        windows->left_out = true;
    } else {
        window.name = arena_text(&folder->arena, window.name, strlen(window.name));
        windows->items[windows->count++] = window;
    }
}

/* The windows of one point: 0 or 3. A window without an end lasts to the end of the picture. */
static int read_windows(struct folder *folder, size_t point, double end_s, struct windows *windows)
{
    struct rows rows;
    size_t at[COLUMNS];
    double replication = NAN;
    int status = folder_table_open(folder, &rows, "faults.csv", columns, at, COLUMNS);
    while (!status && rows_next(&rows)) {
        if (folder_point_find(folder, rows_number(&rows, at[POINT])) != point)
            continue;
        double own = rows_number(&rows, at[REPLICATION]);
        if (isnan(replication))
            replication = own;
        struct window window = {.start_s = rows_number(&rows, at[START]),
                                .end_s = rows_number(&rows, at[END]),
                                .name = rows_field(&rows, at[NAME])};
        if (!*window.name)
            window.name = rows_field(&rows, at[ACTION]);
        if (!(window.end_s < end_s))
            window.end_s = end_s;
        if (window.start_s >= 0 && window.start_s < window.end_s)
            add_window(folder, windows, window, own == replication);
    }
    if (!status)
        status = folder_table_end(folder, &rows, "faults.csv");
    rows_close(&rows);
    return status;
}

/* A name takes about 1.1 % of the axis a letter. Gives each the first of four rows that is free
 * where it begins, by the order of the windows in the file. */
static void place_names(struct windows *windows, double end_s)
{
    double free_from[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < windows->count; i++) {
        struct window *window = &windows->items[i];
        unsigned row = 0;
        while (row < 3 && free_from[row] > window->start_s)
            row++;
        size_t letters = strlen(window->name) < SHEET_LABEL ? strlen(window->name) : SHEET_LABEL;
        window->row = row;
        free_from[row] = window->start_s + end_s * 0.011 * (double)(letters + 2);
    }
}

/* The range of p99 over all lines, for its axis. */
static struct scale latency_scale(const struct course *course, const struct pick *pick)
{
    double least = HUGE_VAL, most = 0;
    for (size_t line = 0; line < pick->count; line++)
        for (size_t i = 0; i < course->counts[1][line]; i++) {
            const struct course_value *value = &course->values[1][line][i];
            double low = isnan(value->low) ? value->mean : value->low;
            double high =
                isnan(value->high) || value->high < value->mean ? value->mean : value->high;
            least = low < least ? low : least;
            most = high > most ? high : most;
        }
    return scale_choose(least, most);
}

static const char *subtitle(struct folder *folder, const struct pick *pick,
                            const struct course *course)
{
    struct arena *arena = &folder->arena;
    const char *whose = pick->by_node && pick->count > 1
                            ? ""
                            : arena_format(arena, "%s: ", folder->nodes[pick->lines[0].node].name);
    const char *text = arena_format(arena, "%sok throughput and p99 latency over time", whose);
    if (course->replications > 1)
        text = arena_format(arena, "%s, mean of %zu replications", text, course->replications);
    return text;
}

static const char *note(struct folder *folder, const struct pick *pick, const struct course *course,
                        const struct windows *windows, bool bands)
{
    const char *text = bands ? "band: middle half of the replications" : "";
    if (course->merged > 1)
        text = pick_join(folder, text,
                         arena_format(&folder->arena, "means over %.6g s", course->step_s));
    if (windows->vary)
        text = pick_join(folder, text, "faults as in replication 1, others differ");
    else if (windows->left_out)
        text = pick_join(folder, text, "the first 12 faults are shown");
    return pick_join(folder, text, pick_left_out(folder, pick));
}

static int write_words(struct folder *folder, const char *format, const struct pick *pick,
                       const struct course *course, struct windows *windows)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "timeline", ".txt"))
        return 3;
    bool bands = course->replications >= 5 && pick->count <= BANDS_MAX_LINES;
    struct scale y = latency_scale(course, pick);
    place_names(windows, course->end_s);
    pick_say_frame(&sheet, format, subtitle(folder, pick, course),
                   note(folder, pick, course, windows, bands));
    pick_say_lines(&sheet, pick);
    sheet_set(&sheet, "bands", bands);
    sheet_set(&sheet, "x_high", course->end_s);
    sheet_set(&sheet, "y_log", y.logarithmic);
    sheet_set(&sheet, "y_low", y.low);
    sheet_set(&sheet, "y_high", y.high);
    if (folder->warmup_s > 0)
        sheet_set(&sheet, "warmup_s", folder->warmup_s);
    sheet_set(&sheet, "faults", (double)windows->count);
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        sheet_say_item(&sheet, "fault", i + 1, SHEET_LABEL, window->name);
        sheet_set(&sheet, arena_format(&folder->arena, "fault_start.%zu", i + 1), window->start_s);
        sheet_set(&sheet, arena_format(&folder->arena, "fault_end.%zu", i + 1), window->end_s);
        sheet_set(&sheet, arena_format(&folder->arena, "fault_row.%zu", i + 1), window->row);
    }
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    static const struct course_metric metrics[] = {{"throughput", "rate"}, {"latency", "p99"}};
    static const char *const names[] = {"ok_per_s", "p99_ms"};
    if (!folder_has(folder, "series.csv"))
        return FIGURE_NONE;
    size_t *nodes = arena_array(&folder->arena, folder->node_count, size_t);
    size_t count = pick_nodes(folder, is_client, nodes);
    struct pick pick;
    struct course course;
    struct windows windows = {0};
    pick_lines(folder, nodes, count, &pick);
    if (!pick.count)
        return FIGURE_NONE;
    if (course_read(folder, &pick, metrics, 2, &course))
        return FIGURE_FAILED;
    if (!pick.count)
        return FIGURE_NONE;
    if (folder_has(folder, "faults.csv") &&
        read_windows(folder, pick.lines[0].point, course.end_s, &windows))
        return FIGURE_FAILED;
    if (course_write(folder, "timeline", &course, &pick, names, 2) ||
        write_words(folder, format, &pick, &course, &windows))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_timeline = {.name = "timeline", .prepare = prepare};
