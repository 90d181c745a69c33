/* Which lines a picture shows, and what it says of itself. Seven lines are what a reader can tell
 * apart; what is left out is said in the subtitle. */
#ifndef ORRERY_PLOT_PICK_H
#define ORRERY_PLOT_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "plot/folder.h"
#include "plot/scale.h"
#include "plot/sheet.h"

enum { PICK_MAX = 7 };

struct pick_line {
    size_t point, node;
};

struct pick {
    struct pick_line lines[PICK_MAX];
    size_t count;         /* lines chosen */
    size_t nodes, points; /* what there is to choose from, without what has no data */
    bool by_point;        /* lines differ in their point */
    size_t parameter;     /* the only one in which they differ, or FOLDER_NONE: any */
    bool by_node;         /* lines differ in their node */
};

/* `chosen` of `total` indices, as evenly as can be, the first and the last among them. `chosen` is
 * at most `total`. */
void pick_spread(size_t total, size_t chosen, size_t *indices);

/* The parameter that tells most when not all points can be drawn: one of words before one of
 * quantities, then the one with more values, of those with at most `room` values. `points` gets the
 * points that have each of its values and otherwise those of the last point, `count` their number.
 * FOLDER_NONE where only one parameter varies or none fits. `room` is at most PICK_MAX. */
size_t pick_slice(const struct folder *folder, size_t room, size_t *points, size_t *count);

/* "at rate 480/s": the parameters that vary beside that one, at a point. */
const char *pick_slice_label(struct folder *folder, size_t point, size_t parameter);

/* Chooses among the `count` nodes listed, the most telling first. With one point: the first seven
 * nodes. With several: every point of every node if that fits, else the first node at a slice of
 * the sweep, and where there is none at points spread evenly over it. */
void pick_lines(const struct folder *folder, const size_t *nodes, size_t count, struct pick *pick);

/* Leaves out the line at `index` (which turned out to have no data). */
void pick_drop(struct pick *pick, size_t index);

/* The nodes that are no instances and for which `fits` says yes, clients first; their number. */
size_t pick_nodes(const struct folder *folder, bool (*fits)(const struct folder_node *),
                  size_t *nodes);

/* Whether a parameter differs between any two points. */
bool pick_varies(const struct folder *folder, size_t parameter);

/* The name of a parameter as a picture shows it: without the `nodes.` of a path. */
const char *pick_parameter(const struct folder *folder, size_t parameter);

/* "rate 200/s, policy random": the parameters of a point that differ between points, or only
 * `parameter` where that is not FOLDER_NONE. */
const char *pick_point_label(struct folder *folder, size_t point, size_t parameter);

/* Says the title of the scenario, what the picture shows, a second line that may be empty, the foot
 * and the format, which every picture has. `note` may be "". */
void pick_say_frame(struct sheet *sheet, const char *format, const char *subtitle,
                    const char *note);

/* Says the name of every line (`label.1` ...), over them what they differ in (`key`), and how much
 * room all that takes. */
void pick_say_lines(struct sheet *sheet, const struct pick *pick);

/* Says the range of an axis of latencies (`y` or `c`: y_low, y_high, y_log) and the unit in which
 * it is drawn: ms, or s where the numbers of ms would be too long to stand beside it. */
void pick_say_latency(struct sheet *sheet, const char *axis, struct scale ms);

/* The characters of a text as it is shown, cut at SHEET_LABEL. */
size_t pick_letters(const char *text);

/* "10 replications of 60 s", "10 replications" or "" as far as known. */
const char *pick_runs(struct folder *folder);

/* "drawn: 1 of 2 nodes, 7 of 12 points", as far as something is left out; else "". */
const char *pick_left_out(struct folder *folder, const struct pick *pick);

/* "users: up to 5 % of operations fail ..." where a thousandth of them or more do, else "". */
const char *pick_errors(struct folder *folder, size_t node);

/* Both texts with "; " between them where neither is empty. */
const char *pick_join(struct folder *folder, const char *first, const char *second);

#endif
