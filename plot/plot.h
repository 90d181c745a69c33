/* `orrery plot`: looks at what a result folder holds and draws the pictures that its data allow. */
#ifndef ORRERY_PLOT_PLOT_H
#define ORRERY_PLOT_PLOT_H

#include <stddef.h>
#include <stdio.h>

enum { PLOT_FIGURES_MAX = 16, PLOT_FILE_MAX = 32 };

/* What was drawn, in the order of the pictures: `plots/latency.svg`, relative to the folder. */
struct plot_report {
    size_t count;
    char files[PLOT_FIGURES_MAX][PLOT_FILE_MAX];
};

/* Whether `format` is one that plot_directory takes: "svg", "png" or "pdf". */
int plot_format_known(const char *format);

/* Draws the folder's pictures into `directory`/plots, each with the script and data it was drawn
 * from, and removes those of an earlier call for which there is no data any more.
 *
 * 0: done (the report may be empty: nothing in the folder can be drawn; `messages` says so). 3:
 * cannot read or write. 5: gnuplot is missing or failed; the scripts and data are there. Errors and
 * what gnuplot says go to `messages`. The same folder gives the same bytes with the same gnuplot.
 */
int plot_directory(const char *directory, const char *format, FILE *messages,
                   struct plot_report *report);

#endif
