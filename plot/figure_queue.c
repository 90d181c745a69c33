/* Requests waiting at each node by simulated time. */
#include <stdlib.h>

#include "plot/course.h"
#include "plot/figure.h"
#include "plot/windows.h"

static bool is_station(const struct folder_node *node)
{
    return node->station;
}

/* The longest queues first: those decide. Insertion keeps nodes of equal length in their order. */
static void sort_by_queue(const struct folder *folder, size_t *nodes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t node = nodes[i], at = i;
        while (at > 0 &&
               folder->nodes[nodes[at - 1]].queue_length < folder->nodes[node].queue_length) {
            nodes[at] = nodes[at - 1];
            at--;
        }
        nodes[at] = node;
    }
}

/* Where nobody ever waits there is nothing to see. */
static bool anyone_waits(const struct pick *pick, const struct course *course)
{
    for (size_t line = 0; line < pick->count; line++)
        for (size_t i = 0; i < course->counts[0][line]; i++)
            if (course->values[0][line][i].mean > 0)
                return true;
    return false;
}

static const char *subtitle(struct folder *folder, const struct pick *pick,
                            const struct course *course)
{
    struct arena *arena = &folder->arena;
    const char *whose = pick->by_node && pick->count > 1
                            ? ""
                            : arena_format(arena, "%s: ", folder->nodes[pick->lines[0].node].name);
    const char *text = arena_format(arena, "%squeue length over time", whose);
    if (course->replications > 1)
        text = arena_format(arena, "%s, mean of %zu replications", text, course->replications);
    return text;
}

static int write_words(struct folder *folder, const char *format, const struct pick *pick,
                       const struct course *course, const struct windows *windows)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, "queue", ".txt"))
        return 3;
    bool bands = course->replications >= 5 && pick->count <= 3;
    const char *note = bands ? "band: middle half of the replications" : "";
    if (course->merged > 1)
        note = pick_join(folder, note,
                         arena_format(&folder->arena, "means over %.6g s", course->step_s));
    note = pick_join(folder, note, windows_note(windows));
    pick_say_frame(&sheet, format, subtitle(folder, pick, course),
                   pick_join(folder, note, pick_left_out(folder, pick)));
    pick_say_lines(&sheet, pick);
    sheet_set(&sheet, "bands", bands);
    sheet_set(&sheet, "x_high", course->end_s);
    if (folder->warmup_s > 0)
        sheet_set(&sheet, "warmup_s", folder->warmup_s);
    windows_say(&sheet, windows);
    return sheet_close(&sheet);
}

static enum figure_result prepare(struct folder *folder, const char *format)
{
    static const struct course_metric metric = {"queue_length", "mean"};
    static const char *const names[] = {"queue_length"};
    if (!folder_has(folder, "series.csv"))
        return FIGURE_NONE;
    size_t *nodes = arena_array(&folder->arena, folder->node_count, size_t);
    size_t count = pick_nodes(folder, is_station, nodes);
    struct pick pick;
    struct course course;
    struct windows windows = {0};
    sort_by_queue(folder, nodes, count);
    pick_lines(folder, nodes, count, &pick);
    if (course_read(folder, &pick, &metric, 1, &course))
        return FIGURE_FAILED;
    if (!pick.count || !anyone_waits(&pick, &course))
        return FIGURE_NONE;
    if (windows_read(folder, pick.lines[0].point, course.end_s, &windows))
        return FIGURE_FAILED;
    if (course_write(folder, "queue", &course, &pick, names, 1) ||
        write_words(folder, format, &pick, &course, &windows))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

const struct figure figure_queue = {.name = "queue", .prepare = prepare};
