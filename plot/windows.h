/* What struck when, from faults.csv, as bands behind the lines of a picture over simulated time. */
#ifndef ORRERY_PLOT_WINDOWS_H
#define ORRERY_PLOT_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>

#include "plot/folder.h"
#include "plot/sheet.h"

enum { WINDOWS_MAX = 12 };

/* One fault as it struck, in the first replication that has any. */
struct window {
    double start_s, end_s;
    const char *name;
    unsigned row; /* of its name, so that names of neighbours do not lie on each other */
};

/* Zero before windows_read. */
struct windows {
    struct window items[WINDOWS_MAX];
    size_t count;
    bool left_out; /* more than we show */
    bool vary;     /* other replications were struck at other times */
};

/* The windows of one point, none where there is no faults.csv: 0, or 3 with a message. A window
 * without an end lasts to `end_s`, the end of the picture. */
int windows_read(struct folder *folder, size_t point, double end_s, struct windows *windows);

/* Says their number, names and places, as the script draws them. */
void windows_say(struct sheet *sheet, const struct windows *windows);

/* What the note must say of them, or "". */
const char *windows_note(const struct windows *windows);

#endif
