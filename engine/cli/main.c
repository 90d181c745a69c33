/* orrery: the commands and the way in. */
#include "engine/cli/cli.h"
#include "engine/scenario/diagnostic.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command commands[] = {
    {"run", "run SCENARIO [options]", "play a scenario: a table here, CSV files in results/",
     "osSrjRTHJq", 1, 1, command_run},
    {"sweep", "sweep SCENARIO [options]", "play every point of its sweep", "osSrjPRTHJq", 1, 1,
     command_sweep},
    {"validate", "validate SCENARIO... [options]",
     "check without playing: errors, defaults, distributions, predicted load", "sq", 1,
     OPTIONS_SETS_MAX, command_validate},
    {"plot", "plot DIR [options]", "draw the pictures of a result folder with gnuplot", "Fq", 1, 1,
     command_plot},
    {"check", "check HISTORY.csv... [options]",
     "judge recorded histories: linearizable? what did sessions see?", "IABJq", 1, OPTIONS_SETS_MAX,
     command_check},
    {"models", "models [KIND]", "the manual of the scenario language and of every kind of node", "",
     0, 1, command_models},
    {"schema", "schema", "the JSON Schema of scenarios, for editors", "", 0, 0, command_schema},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("orrery: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

bool scenario_readable(const char *path)
{
    struct stat status;
    if (!strcmp(path, "-"))
        return true;
    int reason = access(path, R_OK) || stat(path, &status) ? errno
                 : S_ISDIR(status.st_mode)                 ? EISDIR
                                                           : 0;
    if (reason)
        complain("cannot read %s: %s", path, strerror(reason));
    return !reason;
}

int answer_end(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    complain("cannot write the answer to standard output: %s", strerror(errno));
    return EXIT_MACHINE;
}

static void help(FILE *out)
{
    fputs("orrery " ORRERY_VERSION " plays designs of distributed systems in virtual time.\n\n"
          "usage: orrery COMMAND [arguments]\n\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`orrery COMMAND --help` tells a command's options; `orrery models` is the manual of\n"
          "scenarios. A SCENARIO is a YAML file, or - for standard input.\n\n"
          "exit status: 0 done, 1 an expectation failed or a history is not\n"
          "linearizable, 2 wrong usage or scenario, 3 cannot read\n"
          "or write, 4 incomplete (a design that diverges, missing points), 5 gnuplot is missing\n"
          "or failed, 70 a bug of ours, 130 interrupted\n",
          out);
}

static int command_help(const struct command *command)
{
    printf("usage: orrery %s\n\n%s\n\n", command->usage, command->summary);
    options_help(command, stdout);
    return answer_end(EXIT_DONE);
}

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error of writing, told as one */
    if (count < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    const char *name = arguments[1];
    if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help")) {
        help(stdout);
        return answer_end(EXIT_DONE);
    }
    if (!strcmp(name, "--version")) {
        puts("orrery " ORRERY_VERSION);
        return answer_end(EXIT_DONE);
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name))
            continue;
        static struct options options; /* large; the one of this process */
        if (!options_read(&commands[i], count - 2, arguments + 2, &options))
            return EXIT_USAGE;
        return options.help ? command_help(&commands[i]) : commands[i].run(&commands[i], &options);
    }
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = diagnostic_nearest(name, names, COMMAND_COUNT);
    if (nearest)
        complain("there is no command `%s`; did you mean `%s`?", name, nearest);
    else
        complain("there is no command `%s`; orrery --help lists them", name);
    return EXIT_USAGE;
}
