#include "engine/scenario/describe.h"
#include "engine/kernel/watch.h"
#include "engine/scenario/faults.h"
#include "engine/scenario/sampler.h"
#include "engine/scenario/settings.h"

#include <string.h>

enum { COLUMNS = 100, NAME_COLUMN = 2, TYPE_COLUMN = 20, TEXT_COLUMN = 52 };

const char *describe_type(enum field_type type)
{
    static const char *const names[] = {
        [FIELD_COUNT] = "count",
        [FIELD_NUMBER] = "number",
        [FIELD_BOOL] = "true or false",
        [FIELD_TIME] = "time",
        [FIELD_SHARE] = "%",
        [FIELD_FACTOR] = "factor",
        [FIELD_BANDWIDTH] = "bandwidth",
        [FIELD_DURATION] = "time distribution",
        [FIELD_SIZE] = "size distribution",
        [FIELD_KEYS] = "key chooser",
        [FIELD_ARRIVALS] = "arrival process",
        [FIELD_RATE] = "rate",
        [FIELD_WORD] = "word",
        [FIELD_WORDS] = "words",
        [FIELD_POOL] = "name or list",
        [FIELD_RECORD] = "record",
        [FIELD_MONEY] = "USD/h",
        [FIELD_SCHEDULE] = "list of time and count",
        [FIELD_OPERATION] = "operation",
        [FIELD_OPERATIONS] = "operation or list",
        [FIELD_STEPS] = "list of steps",
        [FIELD_PARTS] = "map of records",
    };
    return names[type];
}

/* Prints `text` from column `indent` on; the first line begins at `column` already. */
static void wrap(FILE *out, const char *text, int column, int indent)
{
    bool first = true;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (!first && column + 1 + length > COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", length, text);
        column += length + !first;
        first = false;
        text += length;
        while (*text == ' ')
            text++;
        if (*text == '\n') {
            fputc('\n', out);
            for (text++; *text == '\n'; text++)
                fputc('\n', out);
            if (*text)
                fprintf(out, "%*s", indent, "");
            column = indent;
            first = true;
        }
    }
    fputc('\n', out);
}

/* Moves to `target`, on a new line when the text has run past it. */
static int pad(FILE *out, int column, int target)
{
    if (column >= target) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", target - column, "");
    return target;
}

static void row(FILE *out, int depth, const char *name, const char *type, const char *otherwise,
                const char *summary)
{
    int column = fprintf(out, "%*s%s", NAME_COLUMN + 2 * depth, "", name);
    column = pad(out, column, TYPE_COLUMN);
    column += fprintf(out, "%s", type);
    /* The default stands in the same column as the type, behind a separator. */
    column += fprintf(out, ", %s", otherwise);
    pad(out, column, TEXT_COLUMN);
    wrap(out, summary, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_field(FILE *out, const struct field *f, int depth);

/* Fields of a table; `without`: the name of one to leave out, or NULL. */
static void print_table(FILE *out, const struct field_table *table, int depth, const char *without)
{
    for (const struct field *f = table->fields; f && f->name; f++)
        if (!without || strcmp(without, f->name) != 0)
            print_field(out, f, depth);
    for (const struct field_include *i = table->includes; i && i->table; i++)
        print_table(out, i->table, depth, without);
}

static void print_words(FILE *out, const struct field *f, int depth)
{
    for (const struct field_word *w = f->words; w->name; w++) {
        int column = fprintf(out, "%*s%s", TYPE_COLUMN + 2 * depth, "", w->name);
        pad(out, column, TEXT_COLUMN);
        wrap(out, w->summary ? w->summary : "", TEXT_COLUMN, TEXT_COLUMN);
        if (w->parameters)
            print_table(out, w->parameters, depth + 1, NULL);
    }
}

/* The keys of one step; lists of steps within it have the same, and keys of a caller are told at
 * the node. */
static void print_steps(FILE *out, const struct field_steps *steps)
{
    for (const struct field *f = steps->record->fields; f->name; f++)
        print_field(out, f, 1);
    for (const struct field_verb *v = steps->verbs; v->name; v++) {
        char text[160];
        size_t length = strcspn(v->modifiers, "*");
        const char *except = strchr(v->modifiers, '-');
        snprintf(text, sizeof text, "`%s` goes with %.*s%s%s%s", v->name, (int)length, v->modifiers,
                 v->modifiers[length] ? "and every key of a caller" : "", except ? " but " : "",
                 except ? except + 1 : "");
        fprintf(out, "%*s", TEXT_COLUMN, "");
        wrap(out, text, TEXT_COLUMN, TEXT_COLUMN);
    }
}

static void print_field(FILE *out, const struct field *f, int depth)
{
    char type[96];
    bool pool = f->type == FIELD_PARTS && !f->record;
    snprintf(type, sizeof type, "%s%s%s%s%s%s", describe_type(pool ? FIELD_POOL : f->type),
             f->type == FIELD_RECORD && f->words ? " or word" : "", f->unit ? " in " : "",
             f->unit ? f->unit : "", f->flags & FIELD_PER_OPERATION ? ", per op" : "",
             f->flags & FIELD_WHOLE ? ", one for the node" : "");
    const char *otherwise = f->flags & FIELD_REQUIRED ? "required"
                            : f->otherwise            ? f->otherwise
                                                      : "none";
    char value[160];
    if (f->flags & FIELD_REQUIRED || (f->flags & FIELD_PER_REQUEST && !f->otherwise))
        snprintf(value, sizeof value, "%s", otherwise);
    else
        snprintf(value, sizeof value, "default %s", otherwise);
    row(out, depth, f->name, type, value, f->summary ? f->summary : "");
    if (f->words)
        print_words(out, f, depth);
    if (f->type == FIELD_RECORD || (f->type == FIELD_PARTS && !pool))
        print_table(out, f->record, depth + 1, NULL);
    if (f->type == FIELD_STEPS && !depth)
        print_steps(out, f->steps);
}

static void print_keys(FILE *out, const struct settings_key *keys)
{
    for (; keys->name; keys++) {
        bool plain = !strcmp(keys->otherwise, "required");
        char value[120];
        snprintf(value, sizeof value, "%s%s", plain ? "" : "default ", keys->otherwise);
        row(out, 0, keys->name, keys->type, value, keys->summary);
    }
}

static const char *statistics_of(enum metric_type type)
{
    switch (type) {
    case METRIC_TOTAL:
    case METRIC_SPAN:
    case METRIC_COST:
        return "total, runs_with";
    case METRIC_EVENT:
        return "p50, runs_with, mean, min, max";
    case METRIC_RATE:
        return "rate";
    case METRIC_NONE:
    case METRIC_RATIO:
        return "ratio";
    case METRIC_DURATION:
        return "mean, p50 .., min, max";
    case METRIC_LEVEL:
        return "mean, p50 .., max";
    case METRIC_SHARE:
    case METRIC_IMBALANCE:
    case METRIC_VARIATION:
        return "mean";
    case METRIC_PART:
        return "ratio";
    }
    return "";
}

/* "timeout *deadline" as a sentence. */
static void print_when(FILE *out, const char *when)
{
    char text[200] = "Only with";
    const char *between = "";
    while (*when) {
        bool any = *when == '*';
        size_t length = strcspn(when += any, " "), used = strlen(text);
        size_t key = strcspn(when, " =");
        const char *word = key < length ? when + key + 1 : "";
        snprintf(text + used, sizeof text - used, "%s `%.*s%s%.*s`%s", between, (int)key, when,
                 *word ? ": " : "", *word ? (int)(length - key - 1) : 0, word,
                 any ? " at some node" : "");
        between = " or";
        when += length + (when[length] == ' ');
    }
    fprintf(out, "%*s", TEXT_COLUMN, "");
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, ".");
    wrap(out, text, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_metric_table(FILE *out, const struct metric_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct metric *m = &table->metrics[i];
        if (m->name[0] == '.')
            continue;
        char type[64];
        snprintf(type, sizeof type, "%s", m->unit);
        int column = fprintf(out, "  %s", m->name);
        column = pad(out, column, TYPE_COLUMN);
        column += fprintf(out, "%s: %s", type, statistics_of(m->type));
        pad(out, column, TEXT_COLUMN);
        wrap(out, m->summary, TEXT_COLUMN, TEXT_COLUMN);
        if (m->when)
            print_when(out, m->when);
    }
}

static void print_metrics(FILE *out, const struct kind *kind)
{
    fprintf(out, "\nMetrics\n");
    for (int t = 0; t < KIND_TABLES && kind->tables[t]; t++)
        print_metric_table(out, kind->tables[t]);
}

static void print_kind(FILE *out, const struct kind *kind)
{
    fprintf(out, "%s\n  ", kind->name);
    wrap(out, kind->summary, 2, 2);
    fputs("\n  ", out);
    wrap(out, kind->semantics, 2, 2);
    fprintf(out, "\nKeys\n");
    print_table(out, kind->fields, 0, kind->flags & KIND_CLIENT ? "share" : NULL);
    print_metrics(out, kind);
}

static void print_common(FILE *out)
{
    fprintf(out, "\nKeys of every node\n");
    print_keys(out, settings_node_keys);
    print_table(out, &settings_node, 0, NULL);
}

/* What a fault can do, and to whom. */
static void print_actions(FILE *out)
{
    fprintf(out, "\nActions of a fault\n");
    for (const struct fault_word *w = fault_words; w->name; w++) {
        int column = fprintf(out, "  %s", w->name);
        column = pad(out, column, TYPE_COLUMN);
        column += fprintf(out, "%s%s%s", w->whom, w->by ? ", by " : "", w->by ? w->by : "");
        pad(out, column, TEXT_COLUMN);
        wrap(out, w->summary, TEXT_COLUMN, TEXT_COLUMN);
    }
    fprintf(out, "\nWhom a fault hits\n  ");
    wrap(out,
         "A set: addresses and zones side by side (`n.1 n.2`, `zone az1`), or a choice among them, "
         "drawn anew each time (`one of n`). Links: `a <-> b` or `a -> b` between sets, a set "
         "alone for all its links, `default` for every link. `store.leader` and "
         "`store.followers`: who leads a group when the fault strikes, or does not. Faults go on "
         "through the drain. At "
         "one instant a fault comes before everything else, its end before the begin of another.",
         2, 2);
    for (const struct fault_choice *c = fault_choices; c->name; c++) {
        int column = fprintf(out, "  %s of", c->name);
        pad(out, column, TYPE_COLUMN + 4);
        wrap(out, c->summary, TYPE_COLUMN + 4, TYPE_COLUMN + 4);
    }
}

static void print_language(FILE *out)
{
    fprintf(out, "the document\n\nKeys\n");
    print_keys(out, settings_top_keys);
    fprintf(out, "\nKeys of `run`\n");
    print_table(out, &settings_run, 0, NULL);
    fprintf(out, "\nKeys of `output`\n");
    print_table(out, &settings_output, 0, NULL);
    print_keys(out, settings_output_keys);
    print_common(out);
    fprintf(out, "\nKeys of an operation, beside those of its client\n");
    print_keys(out, settings_operation_keys);
    fprintf(out, "\nKeys of a link\n");
    print_table(out, &settings_link, 0, NULL);
    fprintf(out, "\nKeys of a fault\n");
    print_table(out, &settings_fault, 0, NULL);
    print_keys(out, settings_fault_keys);
    print_actions(out);
    fprintf(out, "\nMetrics of a fault, under its name\n");
    print_metric_table(out, &fault_metrics);
}

static void print_values(FILE *out)
{
    static const struct {
        enum sampler_family family;
        const char *title;
    } families[] = {
        {SAMPLER_DISTRIBUTION, "Distributions (of times or of sizes)"},
        {SAMPLER_KEYS, "Key choosers"},
        {SAMPLER_ARRIVALS, "Arrival processes"},
    };
    fprintf(out, "\nvalues\n\n");
    static const char *const rules[] = {
        "A quantity has a unit: ns us ms s min h d; B KB MB GB KiB MiB GiB; bit/s kbit/s Mbit/s "
        "Gbit/s B/s KB/s MB/s GB/s; /s /min /h; %; x4 (a factor). Zero needs none. Counts are bare "
        "and may carry k M G.",
        "Off is `none`, without bound is `unlimited`. Arguments are separated by spaces. $name is "
        "a "
        "var, $(100% - writes) an expression, each(a b c) deals values over the instances of a "
        "node "
        "in turn, and {view: 2ms, buy: 9ms} is the short form of keys marked `per op`.",
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        fputs("  ", out);
        wrap(out, rules[i], 2, 2);
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        fprintf(out, "\n%s\n", families[i].title);
        for (const struct sampler_word *w = sampler_words(families[i].family); w->name; w++) {
            int column = fprintf(out, "  %s", w->signature);
            pad(out, column, TEXT_COLUMN);
            wrap(out, w->summary, TEXT_COLUMN, TEXT_COLUMN);
        }
    }
}

bool describe_models(const struct kind *const *kinds, const char *name, FILE *out)
{
    if (name) {
        for (const struct kind *const *k = kinds; *k; k++)
            if (!strcmp((*k)->name, name)) {
                print_kind(out, *k);
                print_common(out);
                return true;
            }
        return false;
    }
    print_language(out);
    for (const struct kind *const *k = kinds; *k; k++) {
        fputc('\n', out);
        print_kind(out, *k);
    }
    print_values(out);
    return true;
}
