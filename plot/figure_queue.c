/* What waits by simulated time: requests at each node, and messages in queues. */
#include <stdlib.h>
#include <string.h>

#include "plot/course.h"
#include "plot/figure.h"
#include "plot/windows.h"

/* One of the two pictures. */
struct look {
    const char *name;   /* of the picture */
    const char *metric; /* a level, and the column of its table */
    const char *what;   /* in the subtitle */
    bool (*shows)(const struct folder_node *node);
    double (*length)(const struct folder_node *node);
};

static bool is_station(const struct folder_node *node)
{
    return node->station;
}

static double requests(const struct folder_node *node)
{
    return node->queue_length;
}

/* Subscriptions: what waits for all of them waits for one of them. */
static bool is_subscription(const struct folder_node *node)
{
    return node->broker && strchr(node->name, '.');
}

static double messages(const struct folder_node *node)
{
    return node->depth;
}

static const struct look looks[] = {
    {"queue", "queue_length", "queue length", is_station, requests},
    {"backlog", "depth", "messages that wait", is_subscription, messages},
};

/* The longest queues first: those decide. Insertion keeps nodes of equal length in their order. */
static void sort_by_queue(const struct folder *folder, const struct look *look, size_t *nodes,
                          size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t node = nodes[i], at = i;
        while (at > 0 &&
               look->length(&folder->nodes[nodes[at - 1]]) < look->length(&folder->nodes[node])) {
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

static const char *subtitle(struct folder *folder, const struct look *look, const struct pick *pick,
                            const struct course *course)
{
    struct arena *arena = &folder->arena;
    const char *whose = pick->by_node && pick->count > 1
                            ? ""
                            : arena_format(arena, "%s: ", folder->nodes[pick->lines[0].node].name);
    const char *text = arena_format(arena, "%s%s over time", whose, look->what);
    if (course->replications > 1)
        text = arena_format(arena, "%s, mean of %zu replications", text, course->replications);
    return text;
}

static int write_words(struct folder *folder, const char *format, const struct look *look,
                       const struct pick *pick, const struct course *course,
                       const struct windows *windows)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, look->name, ".txt"))
        return 3;
    bool bands = course->replications >= 5 && pick->count <= 3;
    const char *note = bands ? "band: middle half of the replications" : "";
    if (course->merged > 1)
        note = pick_join(folder, note,
                         arena_format(&folder->arena, "means over %.6g s", course->step_s));
    note = pick_join(folder, note, windows_note(windows));
    pick_say_frame(&sheet, format, subtitle(folder, look, pick, course),
                   pick_join(folder, note, pick_left_out(folder, pick)));
    pick_say_lines(&sheet, pick);
    sheet_set(&sheet, "bands", bands);
    sheet_set(&sheet, "x_high", course->end_s);
    if (folder->warmup_s > 0)
        sheet_set(&sheet, "warmup_s", folder->warmup_s);
    windows_say(&sheet, windows);
    return sheet_close(&sheet);
}

static enum figure_result draw(struct folder *folder, const char *format, const struct look *look)
{
    const struct course_metric metric = {look->metric, "mean"};
    const char *const names[] = {look->metric};
    if (!folder_has(folder, "series.csv"))
        return FIGURE_NONE;
    size_t *nodes = arena_array(&folder->arena, folder->node_count, size_t);
    size_t count = pick_nodes(folder, look->shows, nodes);
    struct pick pick;
    struct course course;
    struct windows windows = {0};
    sort_by_queue(folder, look, nodes, count);
    pick_lines(folder, nodes, count, &pick);
    if (course_read(folder, &pick, &metric, 1, &course))
        return FIGURE_FAILED;
    if (!pick.count || !anyone_waits(&pick, &course))
        return FIGURE_NONE;
    if (windows_read(folder, pick.lines[0].point, course.end_s, &windows))
        return FIGURE_FAILED;
    if (course_write(folder, look->name, &course, &pick, names, 1) ||
        write_words(folder, format, look, &pick, &course, &windows))
        return FIGURE_FAILED;
    return FIGURE_READY;
}

static enum figure_result prepare_queue(struct folder *folder, const char *format)
{
    return draw(folder, format, &looks[0]);
}

static enum figure_result prepare_backlog(struct folder *folder, const char *format)
{
    return draw(folder, format, &looks[1]);
}

const struct figure figure_queue = {.name = "queue", .prepare = prepare_queue};
const struct figure figure_backlog = {.name = "backlog", .prepare = prepare_backlog};
