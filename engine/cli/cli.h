/* The command line: one file per command, one table of options, the exit codes. The only part of
 * the program that sees everything. */
#ifndef ORRERY_CLI_CLI_H
#define ORRERY_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ORRERY_VERSION "0.1.0"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_EXPECTATION = 1, /* done, but an expectation failed (or is undecided, with --strict) */
    EXIT_USAGE = 2,       /* wrong usage or scenario; nothing was run */
    EXIT_MACHINE = 3,     /* cannot read or write */
    EXIT_INCOMPLETE = 4,  /* a design that diverges, missing points */
    EXIT_HELPER = 5,      /* gnuplot is missing or failed */
    EXIT_BUG = 70,
    EXIT_INTERRUPTED = 130,
};

enum { OPTIONS_SETS_MAX = 1000 };

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* What a command line says; zero is "not said". */
struct options {
    const char *operands[OPTIONS_SETS_MAX];
    uint32_t operand_count;
    const char *sets[OPTIONS_SETS_MAX];
    uint32_t set_count;
    const char *out;
    const char *format;
    const char *initial, *cas_fail;
    bool has_seed, has_replications, has_jobs, has_budget;
    uint64_t seed, replications, jobs, budget;
    bool json, quiet, strict, plan, resume, history, help;
    enum color color;
};

/* A command of the program. Returns an exit code. */
struct command {
    const char *name;
    const char *usage;   /* "run SCENARIO [options]" */
    const char *summary; /* one sentence */
    const char *options; /* letters of the options it takes: see options.c */
    uint32_t operands_min, operands_max;
    int (*run)(const struct command *command, const struct options *options);
};

/* Reads a command's arguments. False: `said` on stderr what is wrong; exit with EXIT_USAGE. */
bool options_read(const struct command *command, int count, char **arguments,
                  struct options *options);

/* Prints the options a command takes, one a line. */
void options_help(const struct command *command, FILE *out);

/* Whether to colour what goes to this stream. */
bool options_color(const struct options *options, FILE *stream);

/* "orrery: MESSAGE" on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a scenario can be opened: a file, or "-". False: complained, exit with EXIT_MACHINE. */
bool scenario_readable(const char *path);

/* Flushes the answer. `code`, or EXIT_MACHINE with a word on stderr when stdout cannot take it. */
int answer_end(int code);

int command_run(const struct command *command, const struct options *options);
int command_sweep(const struct command *command, const struct options *options);
int command_validate(const struct command *command, const struct options *options);
int command_check(const struct command *command, const struct options *options);
int command_plot(const struct command *command, const struct options *options);
int command_models(const struct command *command, const struct options *options);
int command_schema(const struct command *command, const struct options *options);

#endif
