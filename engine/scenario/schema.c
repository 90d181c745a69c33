/* The JSON Schema of a scenario document (draft-07), from the same tables as the parser.
 *
 * Editors read YAML's own types, the loader reads texts; so a count is an integer or a string with
 * a suffix, a bool is a boolean or its word, and zero needs no unit. What only the loader can know
 * (names, ranges, sums of shares, cycles) is not in the schema. */
#include "engine/scenario/describe.h"
#include "engine/scenario/faults.h"
#include "engine/scenario/sampler.h"
#include "engine/scenario/settings.h"

#include <string.h>

#define NUMBER "(0|[1-9][0-9_]*)(\\\\.[0-9]+)?"
#define NAME "[A-Za-z_][A-Za-z0-9_]*"
#define ADDRESS NAME "(\\\\.[1-9][0-9]*)?"
#define TIME_UNITS "(ns|us|ms|s|min|h|d)"
#define SIZE_UNITS "(B|KB|MB|GB|KiB|MiB|GiB)"

/* Writes `text` as the inside of a JSON string. */
static void put_text(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
}

static void put_description(FILE *out, const char *summary, const char *otherwise)
{
    fputs("\"description\": \"", out);
    put_text(out, summary ? summary : "");
    if (otherwise) {
        fputs(" Default: ", out);
        put_text(out, otherwise);
        fputc('.', out);
    }
    fputc('"', out);
}

/* The names of a family's calls, as an alternative of a pattern: exp|uniform|... */
static void put_heads(FILE *out, enum sampler_family family, bool with_arguments)
{
    const char *between = "";
    for (const struct sampler_word *w = sampler_words(family); w->name; w++) {
        bool bare = !strchr(w->signature, '(');
        if (bare == with_arguments)
            continue;
        fprintf(out, "%s%s", between, w->name);
        between = "|";
    }
}

static void put_sampler(FILE *out, const char *name, enum sampler_family family,
                        const char *constant)
{
    fprintf(out, "  \"%s\": {\"anyOf\": [", name);
    if (constant)
        fprintf(out, "{\"type\": \"string\", \"pattern\": \"%s\"}, {\"const\": 0}, ", constant);
    fputs("{\"type\": \"string\", \"pattern\": \"^(", out);
    put_heads(out, family, true);
    fputs(")\\\\(.*\\\\)$\"}, {\"type\": \"string\", \"pattern\": \"^(", out);
    put_heads(out, family, false);
    fputs(")$\"}", out);
    if (family == SAMPLER_ARRIVALS)
        fputs(", {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", "
              "\"pattern\": \"^([0-9$]).* \"}}",
              out);
    fputs(", {\"$ref\": \"#/definitions/dynamic\"}]},\n", out);
}

/* The definitions every field refers to. `dynamic` is whatever is known only when a point is made.
 */
static void put_definitions(FILE *out)
{
    static const struct {
        const char *name, *schema;
    } plain[] = {
        {"dynamic", "{\"type\": \"string\", \"pattern\": \"^(\\\\$|each\\\\()\"}"},
        {"count", "{\"type\": \"integer\", \"minimum\": 0}, {\"type\": \"string\", \"pattern\": "
                  "\"^" NUMBER "[kMG]?$\"}"},
        {"number",
         "{\"type\": \"number\"}, {\"type\": \"string\", \"pattern\": \"^-?" NUMBER "[kMG]?$\"}"},
        {"bool", "{\"type\": \"boolean\"}, {\"enum\": [\"true\", \"false\"]}"},
        {"time",
         "{\"type\": \"string\", \"pattern\": \"^" NUMBER TIME_UNITS "$\"}, {\"const\": 0}"},
        {"share", "{\"type\": \"string\", \"pattern\": \"^(" NUMBER "%|rest)$\"}, {\"const\": 0}"},
        {"factor", "{\"type\": \"string\", \"pattern\": \"^x" NUMBER "$\"}"},
        {"rate", "{\"type\": \"string\", \"pattern\": \"^" NUMBER "[kMG]?/(s|min|h)$\"}"},
        {"bandwidth", "{\"type\": \"string\", \"pattern\": \"^" NUMBER
                      "[kMG]?((bit|kbit|Mbit|Gbit|B|KB|MB|GB|KiB|MiB|GiB)/s)$\"}"},
        {"money", "{\"type\": \"string\", \"pattern\": \"^" NUMBER " USD/h$\"}, {\"const\": 0}"},
        {"schedule",
         "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\", \"pattern\": "
         "\"^" NUMBER TIME_UNITS "? +[1-9]\"}}"},
        {"operation", "{\"type\": \"string\", \"pattern\": \"^" NAME "$\"}"},
        {"address", "{\"type\": \"string\", \"pattern\": \"^" ADDRESS "$\"}"},
    };
    fprintf(out, "  \"%s\": %s,\n", plain[0].name, plain[0].schema);
    for (size_t i = 1; i < sizeof plain / sizeof *plain; i++)
        fprintf(out, "  \"%s\": {\"anyOf\": [%s, {\"$ref\": \"#/definitions/dynamic\"}]},\n",
                plain[i].name, plain[i].schema);
    fputs("  \"pool\": {\"anyOf\": [{\"$ref\": \"#/definitions/address\"}, {\"type\": \"array\", "
          "\"minItems\": 1, \"items\": {\"$ref\": \"#/definitions/address\"}}]},\n",
          out);
    put_sampler(out, "duration", SAMPLER_DISTRIBUTION, "^" NUMBER TIME_UNITS "$");
    put_sampler(out, "size", SAMPLER_DISTRIBUTION, "^" NUMBER SIZE_UNITS "$");
    put_sampler(out, "keys", SAMPLER_KEYS, NULL);
    put_sampler(out, "arrivals", SAMPLER_ARRIVALS, NULL);
}

static const char *definition_of(enum field_type type)
{
    static const char *const names[] = {
        [FIELD_COUNT] = "count",
        [FIELD_NUMBER] = "number",
        [FIELD_BOOL] = "bool",
        [FIELD_TIME] = "time",
        [FIELD_SHARE] = "share",
        [FIELD_FACTOR] = "factor",
        [FIELD_BANDWIDTH] = "bandwidth",
        [FIELD_DURATION] = "duration",
        [FIELD_SIZE] = "size",
        [FIELD_KEYS] = "keys",
        [FIELD_ARRIVALS] = "arrivals",
        [FIELD_POOL] = "pool",
        [FIELD_RATE] = "rate",
        [FIELD_RECORD] = NULL,
        [FIELD_PARTS] = NULL,
        [FIELD_WORD] = NULL,
        [FIELD_WORDS] = NULL,
        [FIELD_OPERATION] = "operation",
        [FIELD_OPERATIONS] = "pool",
        [FIELD_STEPS] = "steps",
        [FIELD_MONEY] = "money",
        [FIELD_SCHEDULE] = "schedule",
    };
    return names[type];
}

/* Fields to leave out: one by name, and those with any of these flags. */
struct without {
    const char *name;
    uint32_t flags;
};

static void put_table(FILE *out, const struct field_table *table, const struct without *without,
                      const char **between);

/* A word is one of its names; one with parameters may also be a call. */
static void put_words(FILE *out, const struct field *f)
{
    fputs("{\"enum\": [", out);
    for (const struct field_word *w = f->words; w->name; w++)
        fprintf(out, "%s\"%s\"", w == f->words ? "" : ", ", w->name);
    fputs("]}", out);
    for (const struct field_word *w = f->words; w->name; w++)
        if (w->parameters)
            fprintf(out, ", {\"type\": \"string\", \"pattern\": \"^%s\\\\(.*\\\\)$\"}", w->name);
    if (f->flags & FIELD_BARE)
        fprintf(out, ", {\"$ref\": \"#/definitions/%s\"}",
                definition_of(f->words[0].parameters->fields[0].type));
    if (f->type == FIELD_WORDS) {
        fputs(", {\"type\": \"array\", \"minItems\": 1, \"items\": {\"enum\": [", out);
        for (const struct field_word *w = f->words; w->name; w++)
            fprintf(out, "%s\"%s\"", w == f->words ? "" : ", ", w->name);
        fputs("]}}", out);
    }
    fputs(", {\"$ref\": \"#/definitions/dynamic\"}", out);
}

static void put_value(FILE *out, const struct field *f)
{
    if (f->type == FIELD_RECORD) {
        const char *between = "";
        fputs("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
        put_table(out, f->record, NULL, &between);
        fputs("}}, {\"$ref\": \"#/definitions/dynamic\"}", out);
        if (f->words) {
            fputs(", ", out);
            put_words(out, f);
        }
    } else if (f->type == FIELD_PARTS && !f->record) {
        fputs("{\"$ref\": \"#/definitions/pool\"}", out);
    } else if (f->type == FIELD_PARTS) {
        const char *between = "";
        fputs("{\"type\": \"object\", \"additionalProperties\": {\"type\": \"object\", "
              "\"additionalProperties\": false, \"properties\": {",
              out);
        put_table(out, f->record, NULL, &between);
        fputs("}}}", out);
    } else if (f->type == FIELD_WORD || f->type == FIELD_WORDS) {
        put_words(out, f);
    } else {
        fprintf(out, "{\"$ref\": \"#/definitions/%s\"}", definition_of(f->type));
    }
    if (f->type == FIELD_COUNT && f->flags & FIELD_BYTES)
        fputs(", {\"$ref\": \"#/definitions/size\"}", out);
    if (f->flags & FIELD_UNLIMITED)
        fputs(", {\"const\": \"unlimited\"}", out);
    if (f->flags & FIELD_NONE)
        fputs(", {\"const\": \"none\"}", out);
    if (f->flags & FIELD_AUTO)
        fputs(", {\"const\": \"auto\"}", out);
}

static void put_field(FILE *out, const struct field *f)
{
    fprintf(out, "\n   \"%s\": {", f->name);
    put_description(out, f->summary, f->otherwise);
    fputs(", \"anyOf\": [", out);
    put_value(out, f);
    if (f->flags & FIELD_PER_OPERATION) {
        fputs(", {\"type\": \"object\", \"additionalProperties\": {\"anyOf\": [", out);
        put_value(out, f);
        fputs("]}}", out);
    }
    fputs("]}", out);
}

static void put_table(FILE *out, const struct field_table *table, const struct without *without,
                      const char **between)
{
    for (const struct field *f = table->fields; f && f->name; f++) {
        if (without &&
            (f->flags & without->flags || (without->name && !strcmp(without->name, f->name))))
            continue;
        fputs(*between, out);
        put_field(out, f);
        *between = ",";
    }
    for (const struct field_include *i = table->includes; i && i->table; i++)
        put_table(out, i->table, without, between);
}

static void put_object(FILE *out, const struct field_table *table)
{
    const char *between = "";
    fputs("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
    put_table(out, table, NULL, &between);
    fputs("}}", out);
}

/* What `operations` may hold for one operation of this kind: any key, and at a client also the
 * share, bare or as a key, and the type. */
static void put_operation(FILE *out, const struct kind *kind)
{
    const char *between = "";
    fputs("{\"anyOf\": [", out);
    if (kind->flags & KIND_CLIENT)
        fputs("{\"$ref\": \"#/definitions/share\"}, ", out);
    fputs("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {", out);
    put_table(out, kind->fields, &(struct without){.flags = FIELD_WHOLE}, &between);
    if (kind->flags & KIND_CLIENT)
        fprintf(out,
                "%s\n   \"type\": {\"enum\": "
                "[\"read\", \"write\", \"insert\", \"update\", \"cas\", \"delete\", \"scan\", "
                "\"transaction\", \"send\", \"login\", \"logout\"]}",
                between);
    fputs("}}]}", out);
}

static void put_kind(FILE *out, const struct kind *kind)
{
    const char *between = "";
    fprintf(out, "  \"operation_%s\": ", kind->name);
    put_operation(out, kind);
    fprintf(out, ",\n  \"node_%s\": {\"type\": \"object\", \"additionalProperties\": false, ",
            kind->name);
    put_description(out, kind->summary, NULL);
    fputs(", \"properties\": {", out);
    const struct without share = {.name = kind->flags & KIND_CLIENT ? "share" : NULL};
    put_table(out, kind->fields, &share, &between);
    fputs(between, out);
    between = "";
    put_table(out, &settings_node, NULL, &between);
    fprintf(out, ",\n   \"kind\": {\"const\": \"%s\"}", kind->name);
    for (const struct settings_key *k = settings_node_keys; k->name; k++) {
        if (!strcmp(k->name, "kind"))
            continue;
        fprintf(out, ",\n   \"%s\": {", k->name);
        put_description(out, k->summary, NULL);
        if (!strcmp(k->name, "operations"))
            fprintf(out,
                    ", \"type\": \"object\", \"additionalProperties\": {\"$ref\": "
                    "\"#/definitions/operation_%s\"}}",
                    kind->name);
        else
            fputs(", \"type\": \"string\"}", out);
    }
    fputs("}},\n", out);
}

/* Steps are alike wherever they stand. */
static void put_steps(FILE *out, const struct kind *const *kinds)
{
    const struct field *found = NULL;
    for (const struct kind *const *k = kinds; *k; k++)
        for (const struct field *f = (*k)->fields->fields; f && f->name; f++)
            found = f->type == FIELD_STEPS ? f : found;
    if (!found)
        return;
    const char *between = "";
    fputs("  \"steps\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"anyOf\": [{\"$ref\": "
          "\"#/definitions/address\"}, {\"type\": \"object\", \"additionalProperties\": false, "
          "\"oneOf\": [",
          out);
    for (const struct field_verb *v = found->steps->verbs; v->name; v++)
        fprintf(out, "%s{\"required\": [\"%s\"]}", v == found->steps->verbs ? "" : ", ", v->name);
    fputs("], \"properties\": {", out);
    put_table(out, found->steps->record, NULL, &between);
    fputs("}}]}},\n", out);
}

static void put_nodes(FILE *out, const struct kind *const *kinds)
{
    fputs("  \"node\": {\"type\": \"object\", \"required\": [\"kind\"], \"properties\": {\"kind\": "
          "{\"description\": \"Model of the node.\", \"enum\": [",
          out);
    for (const struct kind *const *k = kinds; *k; k++)
        fprintf(out, "%s\"%s\"", k == kinds ? "" : ", ", (*k)->name);
    fputs("]}}, \"allOf\": [", out);
    for (const struct kind *const *k = kinds; *k; k++)
        fprintf(out,
                "%s\n   {\"if\": {\"required\": [\"kind\"], \"properties\": {\"kind\": {\"const\": "
                "\"%s\"}}}, \"then\": {\"$ref\": \"#/definitions/node_%s\"}}",
                k == kinds ? "" : ",", (*k)->name, (*k)->name);
    fputs("]},\n", out);
}

static void put_top(FILE *out)
{
    static const struct {
        const char *name, *schema;
    } shapes[] = {
        {"orrery", "\"const\": 1"},
        {"name", "\"type\": [\"string\", \"number\"]"},
        {"question", "\"type\": \"string\""},
        {"include", "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}"},
        {"seed", "\"anyOf\": [{\"$ref\": \"#/definitions/count\"}]"},
        {"run", "\"anyOf\": [{\"$ref\": \"#/definitions/run\"}]"},
        {"vars", "\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$"
                 "\"}, \"additionalProperties\": true"},
        {"zones", "\"type\": \"object\", \"propertyNames\": {\"pattern\": "
                  "\"^[A-Za-z_][A-Za-z0-9_]*$\"}, \"additionalProperties\": {\"$ref\": "
                  "\"#/definitions/pool\"}"},
        {"nodes", "\"type\": \"object\", \"minProperties\": 1, \"propertyNames\": {\"pattern\": "
                  "\"^[A-Za-z_][A-Za-z0-9_]*$\"}, \"additionalProperties\": {\"$ref\": "
                  "\"#/definitions/node\"}"},
        {"links", "\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^(default|" ADDRESS
                  " *(->|<->) *" ADDRESS ")$\"}, \"additionalProperties\": {\"$ref\": "
                  "\"#/definitions/link\"}"},
        {"faults", "\"type\": \"array\", \"items\": {\"$ref\": \"#/definitions/fault\"}"},
        {"sweep", "\"type\": \"object\", \"additionalProperties\": {\"type\": [\"array\", "
                  "\"object\", \"string\"]}"},
        {"where", "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}"},
        {"expect", "\"type\": \"array\", \"items\": {\"type\": \"string\"}"},
        {"output", "\"anyOf\": [{\"$ref\": \"#/definitions/output\"}]"},
    };
    for (const struct settings_key *k = settings_top_keys; k->name; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (!strcmp(shapes[i].name, k->name)) {
                fprintf(out, "%s\n  \"%s\": {", k == settings_top_keys ? "" : ",", k->name);
                put_description(out, k->summary, NULL);
                fprintf(out, ", %s}", shapes[i].schema);
            }
}

static void put_fault(FILE *out)
{
    const char *between = "";
    fputs(",\n  \"fault\": {\"type\": \"object\", \"additionalProperties\": false, "
          "\"properties\": {",
          out);
    put_table(out, &settings_fault, NULL, &between);
    for (const struct settings_key *k = settings_fault_keys + 1; k->name; k++) {
        fprintf(out, ",\n   \"%s\": {", k->name);
        put_description(out, k->summary, NULL);
        fputs(", \"type\": [\"string\", \"number\"]}", out);
    }
    for (const struct fault_word *w = fault_words; w->name; w++) {
        fprintf(out, ",\n   \"%s\": {", w->name);
        put_description(out, w->summary, NULL);
        fputs(", \"type\": \"string\"}", out);
    }
    fputs("}, \"oneOf\": [", out);
    for (const struct fault_word *w = fault_words; w->name; w++)
        fprintf(out, "%s{\"required\": [\"%s\"]}", w == fault_words ? "" : ", ", w->name);
    fputs("]}", out);
}

void describe_schema(const struct kind *const *kinds, FILE *out)
{
    fputs(
        "{\n \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n \"title\": \"Orrery "
        "scenario, version 1\",\n \"type\": \"object\",\n \"required\": [\"orrery\"],\n \"anyOf\": "
        "[{\"required\": [\"nodes\"]}, {\"required\": [\"include\"]}],\n \"additionalProperties\": "
        "false,\n \"patternProperties\": {\"^x-\": {}},\n \"properties\": {",
        out);
    put_top(out);
    fputs("\n },\n \"definitions\": {\n", out);
    put_definitions(out);
    for (const struct kind *const *k = kinds; *k; k++)
        put_kind(out, *k);
    put_steps(out, kinds);
    put_nodes(out, kinds);
    fputs("  \"run\": ", out);
    put_object(out, &settings_run);
    fputs(",\n  \"link\": ", out);
    put_object(out, &settings_link);
    put_fault(out);
    fputs(",\n  \"output\": {\"type\": \"object\", \"additionalProperties\": false, "
          "\"properties\": {",
          out);
    const char *between = "";
    put_table(out, &settings_output, NULL, &between);
    fputs(",\n   \"percentiles\": {\"type\": \"array\", \"items\": {\"type\": \"string\", "
          "\"pattern\": \"^p[0-9]+(\\\\.[0-9]+)?$\"}}}}\n }\n}\n",
          out);
}
