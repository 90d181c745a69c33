/* Throughput and p99 latency of the clients by simulated time, with what struck when. */
#include <math.h>
#include <string.h>

#include "plot/course.h"
#include "plot/figure.h"
#include "plot/scale.h"
#include "plot/windows.h"

enum { BANDS_MAX_LINES = 3 };

static bool is_client(const struct folder_node *node)
{
    return node->client;
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
    text = pick_join(folder, text, windows_note(windows));
    return pick_join(folder, text, pick_left_out(folder, pick));
}

static int write_words(struct folder *folder, const char *format, const struct pick *pick,
                       const struct course *course, const struct windows *windows)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "timeline", ".txt"))
        return 3;
    bool bands = course->replications >= 5 && pick->count <= BANDS_MAX_LINES;
    struct scale y = latency_scale(course, pick);
    pick_say_frame(&sheet, format, subtitle(folder, pick, course),
                   note(folder, pick, course, windows, bands));
    pick_say_lines(&sheet, pick);
    sheet_set(&sheet, "bands", bands);
    sheet_set(&sheet, "x_high", course->end_s);
    pick_say_latency(&sheet, "y", y);
    if (folder->warmup_s > 0)
        sheet_set(&sheet, "warmup_s", folder->warmup_s);
    windows_say(&sheet, windows);
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
    if (windows_read(folder, pick.lines[0].point, course.end_s, &windows))
        return FIGURE_FAILED;
    if (course_write(folder, "timeline", &course, &pick, names, 2) ||
        write_words(folder, format, &pick, &course, &windows))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_timeline = {.name = "timeline", .prepare = prepare};
