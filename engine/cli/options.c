/* One table of options; a command names those it takes by their letters. */
#include "engine/cli/cli.h"

#include "engine/experiment/experiment.h"
#include "engine/scenario/diagnostic.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_SET, OPTION_COLOR };

struct option {
    char letter;       /* names it in struct command; upper case: has no short form */
    const char *name;  /* the long form */
    const char *value; /* what its value is called; NULL for a flag */
    enum option_type type;
    size_t offset;  /* of its value in struct options */
    size_t present; /* OPTION_COUNT: of its bool */
    uint64_t max;   /* OPTION_COUNT; the least is 1, or 0 for the seed */
    const char *summary;
};

#define AT(member) offsetof(struct options, member)
static const struct option table[] = {
    {'o', "out", "DIR", OPTION_TEXT, AT(out), 0, 0, "where results go (default: results/STEM)"},
    {'s', "set", "PATH=VALUE", OPTION_SET, 0, 0, 0,
     "override a value of the scenario: -s rate=300/s -s nodes.web.count=8"},
    {'S', "seed", "N", OPTION_COUNT, AT(seed), AT(has_seed), INT64_MAX, "instead of the file's"},
    {'r', "replications", "N", OPTION_COUNT, AT(replications), AT(has_replications), 1000000,
     "instead of the file's"},
    {'j', "jobs", "N", OPTION_COUNT, AT(jobs), AT(has_jobs), EXPERIMENT_JOBS_MAX,
     "threads (default: one for each processor); never changes a result"},
    {'P', "plan", NULL, OPTION_FLAG, AT(plan), 0, 0, "list the points and play none"},
    {'R', "resume", NULL, OPTION_FLAG, AT(resume), 0, 0,
     "keep the runs that are finished and play what is missing"},
    {'T', "strict", NULL, OPTION_FLAG, AT(strict), 0, 0,
     "an expectation that stays undecided is a failure"},
    {'F', "format", "svg|png|pdf", OPTION_TEXT, AT(format), 0, 0, "of the pictures (default svg)"},
    {'I', "initial", "VALUE", OPTION_TEXT, AT(initial), 0, 0,
     "of every key at the begin (default nil; `empty`, the default where values grow)"},
    {'A', "cas-fail", "drop|mismatch", OPTION_TEXT, AT(cas_fail), 0, 0,
     "what a failed cas tells: nothing (default), or that the value was another one"},
    {'B', "budget", "STEPS", OPTION_COUNT, AT(budget), AT(has_budget), INT64_MAX,
     "of the search, where values are written more than once (default 20000000)"},
    {'H', "history", NULL, OPTION_FLAG, AT(history), 0, 0,
     "write history.csv: every operation on a store, for `orrery check`"},
    {'J', "json", NULL, OPTION_FLAG, AT(json), 0, 0, "the answer as one JSON document"},
    {'q', "quiet", NULL, OPTION_FLAG, AT(quiet), 0, 0, "no table, no progress, no notes"},
    {'C', "color", "auto|always|never", OPTION_COLOR, AT(color), 0, 0,
     "auto: on a terminal, unless NO_COLOR is set"},
    {'h', "help", NULL, OPTION_FLAG, AT(help), 0, 0, "this text"},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static bool takes(const struct command *command, const struct option *option)
{
    return option->letter == 'h' || option->letter == 'C' ||
           strchr(command->options, option->letter);
}

static bool short_form(const struct option *option)
{
    return option->letter >= 'a' && option->letter <= 'z';
}

static bool count_read(const char *text, uint64_t *value)
{
    uint64_t v = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - (uint64_t)(*text - '0')) / 10)
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *value = v;
    return true;
}

static bool option_apply(const struct command *command, const struct option *option,
                         const char *value, struct options *options)
{
    char *base = (char *)options;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)(void *)(base + option->offset) = true;
        return true;
    case OPTION_TEXT:
        *(const char **)(void *)(base + option->offset) = value;
        return true;
    case OPTION_SET:
        if (options->set_count == OPTIONS_SETS_MAX) {
            complain("more than %d --set", OPTIONS_SETS_MAX);
            return false;
        }
        options->sets[options->set_count++] = value;
        return true;
    case OPTION_COUNT: {
        uint64_t count, least = option->letter == 'S' ? 0 : 1;
        if (!count_read(value, &count) || count < least || count > option->max) {
            complain("%s: --%s takes a whole number from %llu to %llu, not `%s`", command->name,
                     option->name, (unsigned long long)least, (unsigned long long)option->max,
                     value);
            return false;
        }
        *(uint64_t *)(void *)(base + option->offset) = count;
        *(bool *)(void *)(base + option->present) = true;
        return true;
    }
    case OPTION_COLOR:
        if (strcmp(value, "auto") && strcmp(value, "always") && strcmp(value, "never")) {
            complain("--color takes auto, always or never, not `%s`", value);
            return false;
        }
        options->color = !strcmp(value, "auto")     ? COLOR_AUTO
                         : !strcmp(value, "always") ? COLOR_ALWAYS
                                                    : COLOR_NEVER;
        return true;
    }
    return false;
}

/* The option an argument names, and its value where it is written in the same word. */
static const struct option *option_find(const struct command *command, const char *argument,
                                        const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct option *option = &table[i];
        size_t length = strlen(option->name);
        if (!takes(command, option))
            continue;
        if (argument[1] == '-' && !strncmp(argument + 2, option->name, length) &&
            (!argument[2 + length] || argument[2 + length] == '=')) {
            *value = argument[2 + length] ? argument + 3 + length : NULL;
            return option;
        }
        if (argument[1] == option->letter && short_form(option)) {
            *value = argument[2] ? argument + 2 : NULL;
            return option;
        }
    }
    return NULL;
}

static void complain_unknown(const struct command *command, const char *argument)
{
    const char *names[TABLE_COUNT];
    size_t count = 0;
    char name[64];
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (takes(command, &table[i]))
            names[count++] = table[i].name;
    bool whole = argument[1] == '-';
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    const char *nearest = whole ? diagnostic_nearest(name, names, count) : NULL;
    if (nearest)
        complain("%s does not know the option `%s`; did you mean `--%s`?", command->name, argument,
                 nearest);
    else
        complain("%s does not know the option `%s`; orrery %s --help lists those it takes",
                 command->name, argument, command->name);
}

bool options_read(const struct command *command, int count, char **arguments,
                  struct options *options)
{
    bool only_operands = false;
    *options = (struct options){0};
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i], *value;
        if (only_operands || argument[0] != '-' || !argument[1]) {
            if (options->operand_count == OPTIONS_SETS_MAX) {
                complain("more than %d arguments", OPTIONS_SETS_MAX);
                return false;
            }
            options->operands[options->operand_count++] = argument;
            continue;
        }
        if (!strcmp(argument, "--")) {
            only_operands = true;
            continue;
        }
        const struct option *option = option_find(command, argument, &value);
        if (!option) {
            complain_unknown(command, argument);
            return false;
        }
        if (!option->value && value) {
            complain("--%s takes no value", option->name);
            return false;
        }
        if (option->value && !value) {
            if (i + 1 == count) {
                complain("--%s needs a value: --%s %s", option->name, option->name, option->value);
                return false;
            }
            value = arguments[++i];
        }
        if (!option_apply(command, option, value, options))
            return false;
    }
    if (options->help)
        return true;
    if (options->operand_count < command->operands_min ||
        options->operand_count > command->operands_max) {
        complain("%s takes %s: orrery %s", command->name,
                 options->operand_count < command->operands_min ? "more than that"
                                                                : "less than that",
                 command->usage);
        return false;
    }
    return true;
}

void options_help(const struct command *command, FILE *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct option *option = &table[i];
        char text[64];
        if (!takes(command, option))
            continue;
        snprintf(text, sizeof text, "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        if (short_form(option))
            fprintf(out, "  -%c, %-26s %s\n", option->letter, text, option->summary);
        else
            fprintf(out, "      %-26s %s\n", text, option->summary);
    }
}

bool options_color(const struct options *options, FILE *stream)
{
    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    const char *none = getenv("NO_COLOR");
    return (!none || !*none) && isatty(fileno(stream));
}
