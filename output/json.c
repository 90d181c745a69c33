/* The JSON form of the answer: summary.csv, row by row, and the verdicts. It is read back from the
 * file we wrote, so that both tell the same numbers to the digit. */
#include "output/number.h"
#include "output/output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *output_json_text(struct arena *arena, const char *text)
{
    size_t used = 0;
    char *escaped = arena_take(arena, 6 * strlen(text) + 3);
    escaped[used++] = '"';
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            escaped[used++] = '\\';
            escaped[used++] = (char)*c;
        } else if (*c == '\n' || *c == '\t') {
            escaped[used++] = '\\';
            escaped[used++] = *c == '\n' ? 'n' : 't';
        } else if (*c < 0x20 || *c == 0x7F) {
            used += (size_t)snprintf(escaped + used, 7, "\\u%04x", *c);
        } else {
            escaped[used++] = (char)*c;
        }
    }
    escaped[used] = '"';
    return escaped;
}

/* One field of a CSV row, without its quotes, in `text`; returns what stands behind it: ',', '\n'
 * or EOF. */
static int read_field(FILE *file, char **text, size_t *room)
{
    size_t used = 0;
    bool quoted = false;
    int c = fgetc(file);
    for (;; c = fgetc(file)) {
        if (used + 2 > *room) {
            *room = *room * 2 + 256;
            char *grown = realloc(*text, *room);
            if (!grown)
                check_machine("out of memory for a row");
            *text = grown;
        }
        if (c == '"') {
            int next = quoted ? fgetc(file) : 0;
            if (!quoted || next != '"') {
                quoted = !quoted;
                if (!quoted)
                    ungetc(next, file);
                continue;
            }
        } else if (c == EOF || (!quoted && (c == ',' || c == '\n'))) {
            break;
        }
        (*text)[used++] = (char)c;
    }
    (*text)[used] = 0;
    return c;
}

/* A name of a column and whether its fields are numbers, which JSON has no NaN for. */
struct heading {
    const char *name;
    bool number;
};

static bool is_number(const char *name)
{
    static const char *const numbers[] = {"point",     "estimate", "ci95_low",
                                          "ci95_high", "n",        "replications"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(name, numbers[i]))
            return true;
    return false;
}

static void put_rows(FILE *out, FILE *file, const struct report *report)
{
    struct arena arena = {0}, row = {0};
    struct heading *headings =
        arena_array(&arena, (size_t)report->parameter_count + 13, struct heading);
    char *text = NULL;
    size_t room = 0;
    uint32_t count = 0, at = 0, rows = 0;
    int end = ',';
    while (end == ',') {
        end = read_field(file, &text, &room);
        bool parameter = count > 0 && count <= report->parameter_count;
        headings[count++] =
            (struct heading){output_json_text(&arena, text), !parameter && is_number(text)};
    }
    while ((end = read_field(file, &text, &room)) != EOF) {
        fputs(at ? ", " : rows++ ? "},\n    {" : "    {", out);
        const char *value = headings[at].number ? strcmp(text, "NaN") ? text : "null"
                                                : output_json_text(&row, text);
        fprintf(out, "%s: %s", headings[at].name, value);
        at = end == ',' ? at + 1 : 0;
        arena_reset(&row);
    }
    fputs(rows ? "}\n" : "", out);
    free(text);
    arena_free(&arena);
    arena_free(&row);
}

static void put_verdicts(FILE *out, const struct report *report, const struct outcome *outcome)
{
    static const char *const words[] = {"holds", "fails", "undecided"};
    struct arena arena = {0};
    for (uint32_t i = 0; i < outcome->verdict_count; i++) {
        const struct verdict *v = &outcome->verdicts[i];
        char p[NUMBER_ROOM];
        fprintf(out,
                "    {\"expect\": %s, \"line\": %u, \"point\": %u, \"against_point\": %u, "
                "\"result\": \"%s\", \"adjusted\": \"%s\", \"p_value\": %s, \"because\": %s}%s\n",
                output_json_text(&arena, report->expectations[v->expectation].text),
                report->expectations[v->expectation].line, v->left_point + 1, v->right_point + 1,
                words[v->result], words[v->adjusted],
                isnan(v->p_value) ? "null" : number_general(p, v->p_value),
                output_json_text(&arena, v->sentence), i + 1 < outcome->verdict_count ? "," : "");
    }
    arena_free(&arena);
}

bool output_json(FILE *out, const char *dir, const struct report *report,
                 const struct outcome *outcome, struct output_error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/summary.csv", dir);
    errno = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(error->message, sizeof error->message, "cannot read %.400s: %s", path,
                 strerror(errno));
        return false;
    }
    struct arena arena = {0};
    fprintf(out, "{\n  \"name\": %s,\n", output_json_text(&arena, report->name));
    fprintf(out, "  \"runs\": %u,\n  \"runs_expected\": %u,\n  \"diverged\": %u,\n",
            outcome->part_count, outcome->part_expected, outcome->diverged);
    fprintf(out, "  \"message\": %s,\n", output_json_text(&arena, outcome->message));
    fprintf(out, "  \"events\": %llu,\n  \"summary\": [\n", (unsigned long long)outcome->events);
    put_rows(out, file, report);
    fputs("  ],\n  \"expect\": [\n", out);
    put_verdicts(out, report, outcome);
    fputs("  ]\n}\n", out);
    arena_free(&arena);
    fclose(file);
    return true;
}
