/* Starts gnuplot: no shell, none of the user's start-up files, and what it says is passed on. */
#ifndef ORRERY_PLOT_GNUPLOT_H
#define ORRERY_PLOT_GNUPLOT_H

#include <stdio.h>

#include "engine/kernel/arena.h"

/* Runs `gnuplot NAME.gp` in the directory, with the script's `out` set to `output`. Name and output
 * are ours: letters, digits and dots only. 0 where gnuplot ended well; 5 with a message that names
 * the way out where it is missing or failed. Its standard error is written to `messages` line by
 * line, each with `gnuplot: ` before it. */
int gnuplot_run(struct arena *arena, const char *directory, const char *name, const char *output,
                FILE *messages);

#endif
