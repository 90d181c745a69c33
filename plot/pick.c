#include "plot/pick.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pick_spread(size_t total, size_t chosen, size_t *indices)
{
    for (size_t i = 0; i < chosen; i++)
        indices[i] = chosen > 1 ? (i * (total - 1) + (chosen - 1) / 2) / (chosen - 1) : 0;
}

size_t pick_nodes(const struct folder *folder, bool (*fits)(const struct folder_node *),
                  size_t *nodes)
{
    size_t count = 0;
    for (int clients = 1; clients >= 0; clients--)
        for (size_t i = 0; i < folder->node_count; i++) {
            const struct folder_node *node = &folder->nodes[i];
            if (node->client == clients && node->parent == FOLDER_NONE && fits(node))
                nodes[count++] = i;
        }
    return count;
}

void pick_lines(const struct folder *folder, const size_t *nodes, size_t count, struct pick *pick)
{
    size_t points = folder->point_count, indices[PICK_MAX];
    *pick = (struct pick){.nodes = count, .points = points, .parameter = FOLDER_NONE};
    if (points > 1) {
        bool all = points * count <= PICK_MAX;
        size_t shown = points < PICK_MAX ? points : PICK_MAX;
        if (points > PICK_MAX)
            pick->parameter = pick_slice(folder, PICK_MAX, indices, &shown);
        if (pick->parameter == FOLDER_NONE)
            pick_spread(points, shown, indices);
        for (size_t n = 0; n < (all ? count : count > 0); n++)
            for (size_t i = 0; i < shown; i++)
                pick->lines[pick->count++] = (struct pick_line){indices[i], nodes[n]};
        pick->by_point = true;
        pick->by_node = all && count > 1;
        return;
    }
    for (size_t n = 0; n < count && n < PICK_MAX; n++)
        pick->lines[pick->count++] = (struct pick_line){0, nodes[n]};
    pick->by_node = true;
}

void pick_drop(struct pick *pick, size_t index)
{
    pick->count--;
    for (size_t i = index; i < pick->count; i++)
        pick->lines[i] = pick->lines[i + 1];
}

bool pick_varies(const struct folder *folder, size_t parameter)
{
    for (size_t i = 1; i < folder->point_count; i++)
        if (strcmp(folder->points[i].values[parameter], folder->points[0].values[parameter]) != 0)
            return true;
    return false;
}

const char *pick_parameter(const struct folder *folder, size_t parameter)
{
    const char *name = folder->parameters[parameter];
    return strncmp(name, "nodes.", 6) == 0 && name[6] ? name + 6 : name;
}

/* Whether a point differs from the last one in that parameter at most. */
static bool near_last(const struct folder *folder, size_t point, size_t parameter)
{
    const struct folder_point *last = &folder->points[folder->point_count - 1];
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (i != parameter && strcmp(folder->points[point].values[i], last->values[i]) != 0)
            return false;
    return true;
}

size_t pick_slice(const struct folder *folder, size_t room, size_t *points, size_t *count)
{
    size_t best = FOLDER_NONE, best_count = 0, varying = 0;
    bool best_words = false;
    for (size_t i = 0; i < folder->parameter_count; i++) {
        if (!pick_varies(folder, i))
            continue;
        char first = folder->points[0].values[i][0];
        bool words = !(first >= '0' && first <= '9');
        size_t found = 0;
        for (size_t p = 0; p < folder->point_count; p++)
            found += near_last(folder, p, i);
        varying++;
        if (found < 2 || found > room || (best_words && !words) ||
            (words == best_words && found <= best_count))
            continue;
        best = i;
        best_count = found;
        best_words = words;
    }
    if (varying < 2 || best == FOLDER_NONE)
        return FOLDER_NONE;
    *count = 0;
    for (size_t p = 0; p < folder->point_count; p++)
        if (near_last(folder, p, best))
            points[(*count)++] = p;
    return best;
}

/* Names or values of the parameters that vary, joined by a middle dot. */
static const char *join_parameters(struct folder *folder, const struct folder_point *point,
                                   size_t only)
{
    const char *text = "";
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (only == FOLDER_NONE ? pick_varies(folder, i) : i == only)
            text = arena_format(&folder->arena, "%s%s%s", text, *text ? " \u00B7 " : "",
                                point ? point->values[i] : pick_parameter(folder, i));
    return text;
}

const char *pick_point_label(struct folder *folder, size_t point, size_t parameter)
{
    const char *text = "";
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (parameter == FOLDER_NONE ? pick_varies(folder, i) : i == parameter)
            text = arena_format(&folder->arena, "%s%s%s %s", text, *text ? ", " : "",
                                pick_parameter(folder, i), folder->points[point].values[i]);
    return text;
}

const char *pick_slice_label(struct folder *folder, size_t point, size_t parameter)
{
    const char *text = "";
    for (size_t i = 0; i < folder->parameter_count; i++)
        if (i != parameter && pick_varies(folder, i))
            text = arena_format(&folder->arena, "%s%s%s %s", text, *text ? ", " : "at ",
                                pick_parameter(folder, i), folder->points[point].values[i]);
    return text;
}

const char *pick_join(struct folder *folder, const char *first, const char *second)
{
    return *first && *second ? arena_format(&folder->arena, "%s; %s", first, second)
           : *first          ? first
                             : second;
}

const char *pick_runs(struct folder *folder)
{
    if (folder->replications < 1)
        return "";
    const char *plural = folder->replications > 1 ? "s" : "";
    if (isnan(folder->duration_s))
        return arena_format(&folder->arena, "%ld replication%s", folder->replications, plural);
    return arena_format(&folder->arena, "%ld replication%s of %.6g s", folder->replications, plural,
                        folder->duration_s);
}

const char *pick_left_out(struct folder *folder, const struct pick *pick)
{
    size_t nodes = pick->by_node || !pick->count ? 0 : 1, points = pick->by_point ? 0 : 1;
    const char *text = "";
    for (size_t i = 0; i < pick->count; i++) {
        nodes += pick->by_node && (i == 0 || pick->lines[i].node != pick->lines[i - 1].node);
        points += pick->by_point && (i == 0 || pick->lines[i].node == pick->lines[0].node);
    }
    if (nodes < pick->nodes)
        text = arena_format(&folder->arena, "%zu of %zu nodes", nodes, pick->nodes);
    if (points < pick->points)
        text = arena_format(&folder->arena, "%s%s%zu of %zu points", text, *text ? ", " : "",
                            points, pick->points);
    text = *text ? arena_format(&folder->arena, "drawn: %s", text) : "";
    if (pick->parameter != FOLDER_NONE && pick->count)
        text = pick_join(folder, pick_slice_label(folder, pick->lines[0].point, pick->parameter),
                         text);
    return text;
}

const char *pick_errors(struct folder *folder, size_t node)
{
    if (folder->nodes[node].errors < 0.001)
        return "";
    return arena_format(&folder->arena,
                        "%s: %s%.3g %% of operations fail and are left out of latency",
                        folder->nodes[node].name, folder->point_count > 1 ? "up to " : "",
                        folder->nodes[node].errors * 100);
}

/* "orrery 0.2.0 · quickstart · seed 1 · scenario 3f9c1a20", as far as run.json tells. */
static const char *foot(struct folder *folder)
{
    const char *text = "orrery";
    struct arena *arena = &folder->arena;
    if (*folder->version)
        text = arena_format(arena, "%s %s", text, folder->version);
    if (*folder->scenario_file)
        text = arena_format(arena, "%s \u00B7 %s", text, folder->scenario_file);
    if (*folder->seed)
        text = arena_format(arena, "%s \u00B7 seed %s", text, folder->seed);
    if (*folder->hash)
        text = arena_format(arena, "%s \u00B7 scenario %.8s", text, folder->hash);
    return text;
}

void pick_say_frame(struct sheet *sheet, const char *format, const char *subtitle, const char *note)
{
    struct folder *folder = sheet->folder;
    fputs("key\ttext\n", sheet->file);
    sheet_say(sheet, "format", SHEET_ANY, format);
    sheet_say(sheet, "title", SHEET_TITLE, *folder->name ? folder->name : folder->scenario_file);
    sheet_say(sheet, "subtitle", SHEET_LINE, subtitle);
    sheet_say(sheet, "note", SHEET_LINE, note);
    sheet_say(sheet, "foot", SHEET_LINE, foot(folder));
}

void pick_say_latency(struct sheet *sheet, const char *axis, struct scale ms)
{
    struct arena *arena = &sheet->folder->arena;
    double unit_ms =
        ms.high >= 1e5 || (ms.high >= 1e4 && (!ms.logarithmic || ms.low >= 100)) ? 1000 : 1;
    sheet_say(sheet, "unit", SHEET_LABEL, unit_ms > 1 ? "s" : "ms");
    sheet_set(sheet, "unit_ms", unit_ms);
    sheet_set(sheet, arena_format(arena, "%s_log", axis), ms.logarithmic);
    sheet_set(sheet, arena_format(arena, "%s_low", axis), ms.low / unit_ms);
    sheet_set(sheet, arena_format(arena, "%s_high", axis), ms.high / unit_ms);
}

size_t pick_letters(const char *text)
{
    size_t letters = 0;
    for (; *text; text++)
        letters += ((unsigned char)*text & 0xC0) != 0x80;
    return letters < SHEET_LABEL ? letters : SHEET_LABEL;
}

void pick_say_lines(struct sheet *sheet, const struct pick *pick)
{
    struct folder *folder = sheet->folder;
    size_t longest = 0;
    sheet_set(sheet, "lines", (double)pick->count);
    if (pick->by_point) {
        const char *key = join_parameters(folder, NULL, pick->parameter);
        sheet_say(sheet, "key", SHEET_LABEL, key);
        /* The title of the key has no sample of a line before it. */
        longest = pick_letters(key) > 5 ? pick_letters(key) - 5 : 0;
    }
    for (size_t i = 0; i < pick->count; i++) {
        const struct pick_line *line = &pick->lines[i];
        const char *name = folder->nodes[line->node].name;
        const char *text = name;
        if (pick->by_point) {
            text = join_parameters(folder, &folder->points[line->point], pick->parameter);
            if (pick->by_node)
                text = arena_format(&folder->arena, "%s \u00B7 %s", name, text);
        }
        sheet_say_item(sheet, "label", i + 1, SHEET_LABEL, text);
        size_t letters = pick_letters(text);
        longest = letters > longest ? letters : longest;
    }
    sheet_set(sheet, "letters", (double)longest);
}
