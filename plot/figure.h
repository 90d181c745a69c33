/* The pictures: one file each, plot/figure_NAME.c, which writes the numbers (NAME.csv) and words
 * (NAME.txt) that plot/NAME.gp draws. To add a picture: both files and a line in
 * plot/plot.c; two that differ in their numbers alone share the first (queue and backlog). */
#ifndef ORRERY_PLOT_FIGURE_H
#define ORRERY_PLOT_FIGURE_H

#include "plot/folder.h"

/* What `prepare` found. */
enum figure_result {
    FIGURE_READY,  /* the files are written */
    FIGURE_NONE,   /* the folder has no data for this picture; nothing is written */
    FIGURE_FAILED, /* cannot read or write; told on folder->messages */
};

/* `format` is "svg", "png" or "pdf"; plots/ exists. */
struct figure {
    const char *name; /* stem of the script and of all its files */
    enum figure_result (*prepare)(struct folder *folder, const char *format);
};

extern const struct figure figure_latency, figure_timeline, figure_load, figure_balance,
    figure_heat, figure_queue, figure_backlog, figure_hits;

#endif
