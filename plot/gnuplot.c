#include "plot/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What gnuplot may say at most; the rest is read and dropped, so that it never blocks. */
enum { SAID_MAX = 16 << 10 };

/* Our environment but for the variables that would change the picture: the locale (how numbers are
 * read) and gnuplot's own. */
static char **picture_environment(struct arena *arena)
{
    static const char *const without[] = {"LC_", "LANG=", "LANGUAGE=", "GNU", "GDFONTPATH="};
    static char locale[] = "LC_ALL=C.UTF-8";
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **variables = arena_array(arena, count + 2, char *);
    for (size_t i = 0; i < count; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof without / sizeof without[0]; k++)
            keep &= strncmp(environ[i], without[k], strlen(without[k])) != 0;
        if (keep)
            variables[kept++] = environ[i];
    }
    variables[kept] = locale;
    return variables;
}

static void pass_on(const char *said, FILE *messages)
{
    while (*said) {
        size_t length = strcspn(said, "\n");
        if (length && strspn(said, " \t^") < length)
            fprintf(messages, "gnuplot: %.*s\n", (int)length, said);
        said += length + (said[length] == '\n');
    }
}

/* Everything that comes through the pipe until its other end is closed. */
static char *hear(struct arena *arena, int from)
{
    char *said = arena_take(arena, SAID_MAX + 1), drop[512];
    size_t length = 0;
    for (;;) {
        bool full = length == SAID_MAX;
        ssize_t got =
            full ? read(from, drop, sizeof drop) : read(from, said + length, SAID_MAX - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return said;
        if (!full)
            length += (size_t)got;
    }
}

static int start(struct arena *arena, const char *directory, char *const arguments[], int to,
                 pid_t *process)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, to, 2);
    if (!error)
        error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!error)
        error = posix_spawnp(process, arguments[0], &actions, NULL, arguments,
                             picture_environment(arena));
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int gnuplot_run(struct arena *arena, const char *directory, const char *name, const char *output,
                FILE *messages)
{
    char program[] = "gnuplot", defaults[] = "-d", command[] = "-e";
    char *out = arena_format(arena, "out = '%s'", output);
    char *script = arena_format(arena, "%s.gp", name);
    char *arguments[] = {program, defaults, command, out, script, NULL};
    int ends[2];
    if (pipe(ends) || fcntl(ends[0], F_SETFD, FD_CLOEXEC) || fcntl(ends[1], F_SETFD, FD_CLOEXEC)) {
        fprintf(messages, "orrery: cannot start gnuplot: %s\n", strerror(errno));
        return 5;
    }
    pid_t process;
    int error = start(arena, directory, arguments, ends[1], &process);
    close(ends[1]);
    const char *said = error ? "" : hear(arena, ends[0]);
    close(ends[0]);
    if (error == ENOENT) {
        fprintf(messages,
                "orrery: gnuplot is not installed, so no picture was drawn\n"
                "  install it (Debian, Ubuntu: apt-get install gnuplot-nox; Fedora: dnf install "
                "gnuplot;\n  Arch: pacman -S gnuplot; macOS: brew install gnuplot) and run "
                "`orrery plot` again\n");
        return 5;
    }
    if (error) {
        fprintf(messages, "orrery: cannot start gnuplot: %s\n", strerror(error));
        return 5;
    }
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        continue;
    pass_on(said, messages);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        fprintf(messages, "orrery: gnuplot failed on %s/%s (exit %d)\n", directory, script,
                WEXITSTATUS(status));
    else
        fprintf(messages, "orrery: gnuplot failed on %s/%s (signal %d)\n", directory, script,
                WTERMSIG(status));
    fprintf(messages, "  `orrery plot` needs gnuplot 5.4 or later with its svg and cairo "
                      "terminals\n");
    return 5;
}
