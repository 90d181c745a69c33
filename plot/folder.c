#include "plot/folder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot/run_json.h"

/* The resolved scenario lies within; a file of more is none of ours. */
enum { RUN_JSON_MAX = 64 << 20 };

static const char *const summary_columns[] = {"point",    "node",      "operation",
                                              "metric",   "statistic", "unit",
                                              "estimate", "ci95_low",  "ci95_high"};
enum { POINT, NODE, OPERATION, METRIC, STATISTIC, UNIT, ESTIMATE, LOW, HIGH, COLUMNS };

const char *folder_file(struct folder *folder, const char *name)
{
    return arena_format(&folder->arena, "%s/%s", folder->path, name);
}

bool folder_has(struct folder *folder, const char *name)
{
    return access(folder_file(folder, name), F_OK) == 0;
}

static char *read_whole(struct folder *folder, const char *name)
{
    FILE *file = fopen(folder_file(folder, name), "r");
    if (!file)
        return NULL;
    char *text = NULL;
    long size = -1;
    if (!fseek(file, 0, SEEK_END))
        size = ftell(file);
    if (size >= 0 && size < RUN_JSON_MAX && !fseek(file, 0, SEEK_SET)) {
        text = arena_take(&folder->arena, (size_t)size + 1);
        text[fread(text, 1, (size_t)size, file)] = '\0';
    }
    fclose(file);
    return text;
}

static double number_or_nan(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return end == text || *end ? (double)NAN : value;
}

/* A missing or broken run.json costs the foot of the picture, never the picture. */
static void read_provenance(struct folder *folder)
{
    static const char *const keys[] = {"name",          "version",  "scenario_file", "seed",
                                       "scenario_hash", "warmup_s", "duration_s"};
    const char *values[7];
    const char *text = read_whole(folder, "run.json");
    for (size_t i = 0; i < 7; i++) {
        const char *value = text ? run_json_value(&folder->arena, text, keys[i]) : NULL;
        values[i] = value && strcmp(value, "null") != 0 ? value : "";
    }
    folder->name = values[0];
    folder->version = values[1];
    folder->scenario_file = values[2];
    folder->seed = values[3];
    folder->hash = values[4];
    folder->warmup_s = number_or_nan(values[5]);
    folder->duration_s = number_or_nan(values[6]);
}

int folder_table_open(struct folder *folder, struct rows *rows, const char *file,
                      const char *const *names, size_t *columns, size_t count)
{
    if (!rows_open(rows, folder_file(folder, file))) {
        fprintf(folder->messages, "orrery: %s/%s: %s\n", folder->path, file, rows->error);
        return 3;
    }
    for (size_t i = 0; i < count; i++) {
        columns[i] = rows_column(rows, names[i]);
        if (columns[i] == ROWS_NO_COLUMN) {
            fprintf(folder->messages, "orrery: %s/%s has no column `%s`\n", folder->path, file,
                    names[i]);
            return 3;
        }
    }
    return 0;
}

int folder_table_end(const struct folder *folder, const struct rows *rows, const char *file)
{
    if (!rows->error)
        return 0;
    fprintf(folder->messages, "orrery: %s/%s:%zu: %s\n", folder->path, file, rows->line,
            rows->error);
    return 3;
}

size_t folder_point_find(const struct folder *folder, double number)
{
    size_t low = 0, high = folder->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double found = (double)folder->points[middle].number;
        if (found == number)
            return middle;
        if (found < number)
            low = middle + 1;
        else
            high = middle;
    }
    return FOLDER_NONE;
}

/* Rows come in the order of their points; a point that does not is put where it belongs. */
static void add_point(struct folder *folder, size_t *capacity, const struct rows *rows, long number)
{
    if (folder->point_count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 64;
        struct folder_point *grown = arena_array(&folder->arena, *capacity, struct folder_point);
        if (folder->point_count)
            memcpy(grown, folder->points, folder->point_count * sizeof *grown);
        folder->points = grown;
    }
    struct folder_point point = {.number = number};
    point.values = arena_array(&folder->arena, folder->parameter_count, const char *);
    for (size_t i = 0; i < folder->parameter_count; i++) {
        const char *value = rows_field(rows, i + 1);
        point.values[i] = arena_text(&folder->arena, value, strlen(value));
    }
    size_t at = folder->point_count++;
    for (; at > 0 && folder->points[at - 1].number > number; at--)
        folder->points[at] = folder->points[at - 1];
    folder->points[at] = point;
}

static void learn(struct folder_node *node, const char *metric, const char *statistic,
                  double estimate)
{
    node->latency |= !strcmp(metric, "latency");
    node->offered |= !strcmp(metric, "offered");
    node->station |= !strcmp(metric, "utilization") || !strcmp(metric, "wait") ||
                     !strcmp(metric, "queue_length");
    if (!strcmp(metric, "errors") && !strcmp(statistic, "ratio") && estimate > node->errors)
        node->errors = estimate;
    node->broker |= !strcmp(metric, "depth");
    node->cache |= !strcmp(metric, "hit_ratio");
    if (!strcmp(metric, "depth") && !strcmp(statistic, "mean") && estimate > node->depth)
        node->depth = estimate;
    if (!strcmp(metric, "queue_length") && !strcmp(statistic, "mean") &&
        estimate > node->queue_length)
        node->queue_length = estimate;
}

/* The parameters stand between the columns `point` and `node`. */
static void read_parameters(struct folder *folder, const struct rows *rows, size_t node_column)
{
    folder->parameter_count = node_column ? node_column - 1 : 0;
    folder->parameters = arena_array(&folder->arena, folder->parameter_count, const char *);
    for (size_t i = 0; i < folder->parameter_count; i++) {
        const char *name = rows_name(rows, i + 1);
        folder->parameters[i] = arena_text(&folder->arena, name, strlen(name));
    }
}

static void read_summary(struct folder *folder, struct rows *rows, const size_t *columns)
{
    size_t point_capacity = 0, node_capacity = 0;
    size_t replications = rows_column(rows, "replications");
    double last_point = -1;
    read_parameters(folder, rows, columns[NODE]);
    while (rows_next(rows)) {
        double point = rows_number(rows, columns[POINT]);
        if (!(point >= 1 && point <= 1e9))
            continue;
        if (point != last_point && folder_point_find(folder, point) == FOLDER_NONE)
            add_point(folder, &point_capacity, rows, (long)point);
        last_point = point;
        if (!folder->replications)
            folder->replications = strtol(rows_field(rows, replications), NULL, 10);
        size_t node = roster_add(&folder->node_names, rows_field(rows, columns[NODE]));
        if (node >= node_capacity) {
            size_t capacity = node_capacity ? node_capacity * 2 : 64;
            struct folder_node *grown = arena_array(&folder->arena, capacity, struct folder_node);
            if (node_capacity)
                memcpy(grown, folder->nodes, node_capacity * sizeof *grown);
            folder->nodes = grown;
            node_capacity = capacity;
        }
        if (!strcmp(rows_field(rows, columns[OPERATION]), "all"))
            learn(&folder->nodes[node], rows_field(rows, columns[METRIC]),
                  rows_field(rows, columns[STATISTIC]), rows_number(rows, columns[ESTIMATE]));
    }
    folder->node_count = folder->node_names.count;
}

/* A client has a latency and neither slots nor a queue. So have groups of nodes, but only clients
 * start operations; files without any offered rate are taken as they are. */
static void find_clients(struct folder *folder)
{
    bool offered = false;
    for (size_t i = 0; i < folder->node_count; i++)
        offered |= folder->nodes[i].offered;
    for (size_t i = 0; i < folder->node_count; i++) {
        struct folder_node *node = &folder->nodes[i];
        node->client = node->latency && !node->station && (node->offered || !offered);
    }
}

/* `web.2` is an instance of `web`, and `users.2.1` of `users.2`, if there is such a node. */
static void find_parents(struct folder *folder)
{
    for (size_t i = 0; i < folder->node_count; i++) {
        struct folder_node *node = &folder->nodes[i];
        node->name = folder->node_names.names[i];
        node->parent = FOLDER_NONE;
        const char *dot = strrchr(node->name, '.');
        if (!dot || !dot[1] || dot[1 + strspn(dot + 1, "0123456789")])
            continue;
        const char *stem = arena_text(&folder->arena, node->name, (size_t)(dot - node->name));
        size_t parent = roster_find(&folder->node_names, stem);
        if (parent == ROSTER_UNKNOWN)
            continue;
        node->parent = parent;
        folder->nodes[parent].instances++;
    }
}

int folder_open(struct folder *folder, const char *path, FILE *messages)
{
    *folder = (struct folder){.path = path, .messages = messages};
    folder->node_names.arena = &folder->arena;
    read_provenance(folder);
    struct rows rows;
    size_t columns[COLUMNS];
    int status = 3;
    if (!folder_has(folder, "summary.csv")) {
        fprintf(messages,
                "orrery: %s/summary.csv: %s\n"
                "  `orrery plot` takes a folder that `orrery run` or `orrery sweep` has written\n",
                path, strerror(errno));
        return 3;
    }
    if (!folder_table_open(folder, &rows, "summary.csv", summary_columns, columns, COLUMNS)) {
        read_summary(folder, &rows, columns);
        status = folder_table_end(folder, &rows, "summary.csv");
        find_clients(folder);
        find_parents(folder);
    }
    rows_close(&rows);
    return status;
}

void folder_close(struct folder *folder)
{
    arena_free(&folder->arena);
}

void folder_pass_begin(struct folder_pass *pass, struct folder *folder)
{
    pass->folder = folder;
    if (folder_table_open(folder, &pass->rows, "summary.csv", summary_columns, pass->columns,
                          COLUMNS))
        pass->rows.error = "changed while it was read";
}

bool folder_pass_next(struct folder_pass *pass, struct folder_row *row)
{
    struct rows *rows = &pass->rows;
    while (rows_next(rows)) {
        row->point = folder_point_find(pass->folder, rows_number(rows, pass->columns[POINT]));
        row->node = roster_find(&pass->folder->node_names, rows_field(rows, pass->columns[NODE]));
        if (row->point == FOLDER_NONE || row->node == ROSTER_UNKNOWN)
            continue;
        row->operation = rows_field(rows, pass->columns[OPERATION]);
        row->metric = rows_field(rows, pass->columns[METRIC]);
        row->statistic = rows_field(rows, pass->columns[STATISTIC]);
        row->unit = rows_field(rows, pass->columns[UNIT]);
        row->estimate = rows_number(rows, pass->columns[ESTIMATE]);
        row->low = rows_number(rows, pass->columns[LOW]);
        row->high = rows_number(rows, pass->columns[HIGH]);
        return true;
    }
    return false;
}

int folder_pass_end(struct folder_pass *pass)
{
    int status = folder_table_end(pass->folder, &pass->rows, "summary.csv");
    rows_close(&pass->rows);
    return status;
}
