/* What stands in a result folder: the provenance in run.json and, from one pass over summary.csv,
 * which points, parameters and nodes there are and what is known of each. Pictures decide by it
 * what they can show; they read their numbers in passes of their own. */
#ifndef ORRERY_PLOT_FOLDER_H
#define ORRERY_PLOT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/kernel/arena.h"
#include "plot/roster.h"
#include "plot/rows.h"

#define FOLDER_NONE ((size_t)-1)

struct folder_point {
    long number;         /* as in the column `point`, from 1 */
    const char **values; /* one for each parameter, as written */
};

struct folder_node {
    const char *name;
    size_t parent;       /* the counted node whose instance this is (`web` of `web.2`), else NONE */
    size_t instances;    /* how many nodes name this one as parent */
    bool latency;        /* has a latency (operation `all`) */
    bool offered;        /* has an offered rate: it starts operations of its own */
    bool client;         /* asks and never serves: see folder.c */
    bool station;        /* has utilization, a wait or a queue */
    double errors;       /* the largest errors ratio over points, 0 where there is none */
    double queue_length; /* the largest mean queue length over points, 0 where there is none */
    bool broker;         /* has a depth: a queue of messages, or a subscription */
    bool cache;          /* has a hit ratio */
    double depth;        /* the largest mean depth over points */
};

struct folder {
    struct arena arena; /* owns all text below */
    const char *path;
    FILE *messages; /* where errors are told */

    const char *name, *version, *scenario_file, *seed, *hash; /* "" where run.json has none */
    double warmup_s, duration_s;                              /* NaN where run.json has none */
    long replications;                                        /* of the first row; 0 unknown */

    size_t parameter_count;
    const char **parameters;
    size_t point_count, node_count;
    struct folder_point *points; /* in the order of their numbers */
    struct folder_node *nodes;   /* in the order of their first row */
    struct roster node_names;
};

/* One row of summary.csv; the text lives until the next one. */
struct folder_row {
    size_t point, node; /* indices into the folder's tables */
    const char *operation, *metric, *statistic, *unit;
    double estimate, low, high; /* NaN where there is no number */
};

/* A pass over summary.csv. */
struct folder_pass {
    struct rows rows;
    struct folder *folder;
    size_t columns[9];
};

/* Reads what the folder holds: 0, or 3 with a message where summary.csv is missing or broken. Call
 * folder_close either way. */
int folder_open(struct folder *folder, const char *path, FILE *messages);
void folder_close(struct folder *folder);

/* `path/name`, in the arena. */
const char *folder_file(struct folder *folder, const char *name);
bool folder_has(struct folder *folder, const char *name);

/* The index of the point with that number, FOLDER_NONE where there is none. */
size_t folder_point_find(const struct folder *folder, double number);

/* Begins a pass; folder_pass_next gives one row after another, folder_pass_end 0 or 3. */
void folder_pass_begin(struct folder_pass *pass, struct folder *folder);
bool folder_pass_next(struct folder_pass *pass, struct folder_row *row);
int folder_pass_end(struct folder_pass *pass);

/* Opens another CSV of the folder and finds its columns, all of which must be there: 0, or 3 with a
 * message. Call rows_close either way. */
int folder_table_open(struct folder *folder, struct rows *rows, const char *file,
                      const char *const *names, size_t *columns, size_t count);

/* After the last row: 0, or 3 with a message where the file could not be read to its end. */
int folder_table_end(const struct folder *folder, const struct rows *rows, const char *file);

#endif
