#include "plot/windows.h"

#include <math.h>
#include <string.h>

enum { POINT, REPLICATION, START, END, NAME, ACTION, COLUMNS };
static const char *const columns[] = {"point", "replication", "start_s", "end_s", "name", "action"};

static size_t find_window(const struct windows *windows, const struct window *window)
{
    size_t i = 0;
    while (i < windows->count && (windows->items[i].start_s != window->start_s ||
                                  windows->items[i].end_s != window->end_s ||
                                  strcmp(windows->items[i].name, window->name) != 0))
        i++;
    return i;
}

static void add_window(struct folder *folder, struct windows *windows, struct window window,
                       bool first)
{
    if (find_window(windows, &window) < windows->count)
        return;
    if (!first) {
        windows->vary |= !windows->left_out;
    } else if (windows->count == WINDOWS_MAX) {
        windows->left_out = true;
    } else {
        window.name = arena_text(&folder->arena, window.name, strlen(window.name));
        windows->items[windows->count++] = window;
    }
}

/* A name takes about 1.1 % of the axis a letter. Gives each the first of four rows that is free
 * where it begins, by the order of the windows in the file. */
static void place_names(struct windows *windows, double end_s)
{
    double free_from[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < windows->count; i++) {
        struct window *window = &windows->items[i];
        unsigned row = 0;
        while (row < 3 && free_from[row] > window->start_s)
            row++;
        size_t letters = strlen(window->name) < SHEET_LABEL ? strlen(window->name) : SHEET_LABEL;
        window->row = row;
        free_from[row] = window->start_s + end_s * 0.011 * (double)(letters + 2);
    }
}

int windows_read(struct folder *folder, size_t point, double end_s, struct windows *windows)
{
    struct rows rows;
    size_t at[COLUMNS];
    double replication = NAN;
    if (!folder_has(folder, "faults.csv"))
        return 0;
    int status = folder_table_open(folder, &rows, "faults.csv", columns, at, COLUMNS);
    while (!status && rows_next(&rows)) {
        if (folder_point_find(folder, rows_number(&rows, at[POINT])) != point)
            continue;
        double own = rows_number(&rows, at[REPLICATION]);
        if (isnan(replication))
            replication = own;
        struct window window = {.start_s = rows_number(&rows, at[START]),
                                .end_s = rows_number(&rows, at[END]),
                                .name = rows_field(&rows, at[NAME])};
        if (!*window.name)
            window.name = rows_field(&rows, at[ACTION]);
        if (!(window.end_s < end_s))
            window.end_s = end_s;
        if (window.start_s >= 0 && window.start_s < window.end_s)
            add_window(folder, windows, window, own == replication);
    }
    if (!status)
        status = folder_table_end(folder, &rows, "faults.csv");
    rows_close(&rows);
    place_names(windows, end_s);
    return status;
}

void windows_say(struct sheet *sheet, const struct windows *windows)
{
    struct arena *arena = &sheet->folder->arena;
    sheet_set(sheet, "faults", (double)windows->count);
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        sheet_say_item(sheet, "fault", i + 1, SHEET_LABEL, window->name);
        sheet_set(sheet, arena_format(arena, "fault_start.%zu", i + 1), window->start_s);
        sheet_set(sheet, arena_format(arena, "fault_end.%zu", i + 1), window->end_s);
        sheet_set(sheet, arena_format(arena, "fault_row.%zu", i + 1), window->row);
    }
}

const char *windows_note(const struct windows *windows)
{
    if (windows->vary)
        return "faults as in replication 1, others differ";
    return windows->left_out ? "the first 12 faults are shown" : "";
}
