#include "engine/cli/folder.h"

#include "engine/cli/cli.h"
#include "output/output.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool directory_make(const char *path)
{
    struct stat status;
    if (mkdir(path, 0777) == 0 ||
        (errno == EEXIST && !stat(path, &status) && S_ISDIR(status.st_mode)))
        return true;
    complain("cannot make the folder %s: %s", path, strerror(errno == EEXIST ? ENOTDIR : errno));
    return false;
}

bool folder_make(const char *directory)
{
    struct arena arena = {0};
    char *path = arena_text(&arena, directory, strlen(directory));
    bool made = true;
    for (char *slash = path + 1; made && *path && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        made = directory_make(path);
        *slash = '/';
    }
    made =
        made && directory_make(path) && directory_make(arena_format(&arena, "%s/parts", directory));
    arena_free(&arena);
    return made;
}

static bool file_remove(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    complain("cannot replace %s: %s", path, strerror(errno));
    return false;
}

bool folder_empty(const char *directory)
{
    static const char *const files[] = {"summary.csv",       "replications.csv", "series.csv",
                                        "distributions.csv", "run.json",         NULL};
    struct arena arena = {0};
    bool done = true;
    for (int i = 0; done && files[i]; i++)
        done = file_remove(arena_format(&arena, "%s/%s", directory, files[i]));
    const char *parts = arena_format(&arena, "%s/parts", directory);
    DIR *open = done ? opendir(parts) : NULL;
    for (struct dirent *entry; open && done && (entry = readdir(open));) {
        const char *dot = strchr(entry->d_name, '.');
        if (dot && (!strcmp(dot, ".part") || !strcmp(dot, ".part.tmp")))
            done = file_remove(arena_format(&arena, "%s/%s", parts, entry->d_name));
    }
    if (open)
        closedir(open);
    arena_free(&arena);
    return done;
}

/* The value of a key of a run.json that we wrote: what stands between `  "key": ` and the end of
 * the line, in the arena; NULL where there is none. */
static const char *written(struct arena *arena, const char *path, const char *key)
{
    char line[4096];
    const char *found = NULL, *begin = arena_format(arena, "  \"%s\": ", key);
    FILE *in = fopen(path, "r");
    while (in && !found && fgets(line, sizeof line, in)) {
        size_t end = strcspn(line, "\n"), from = strlen(begin);
        if (strncmp(line, begin, from) != 0 || line[end] != '\n')
            continue;
        end -= end > from && line[end - 1] == ',';
        found = arena_text(arena, line + from, end - from);
    }
    if (in)
        fclose(in);
    return found;
}

/* `[10, 30]`: the numbers of replications that were looked at, this one last. */
static const char *looks(struct arena *arena, const char *path, const struct scenario *scenario,
                         const struct run_facts *facts)
{
    const char *now = arena_format(arena, "%" PRIu32 "]", scenario_report(scenario)->replications);
    const char *hash = facts->resumed ? written(arena, path, "scenario_hash") : NULL;
    const char *before = facts->resumed ? written(arena, path, "looks") : NULL;
    if (!hash || !before || before[0] != '[' || !strchr(before, ']') ||
        strcmp(hash, arena_format(arena, "\"%s\"", scenario_hash(scenario))) != 0)
        return arena_format(arena, "[%s", now);
    const char *last = strrchr(before, ' ');
    if (!strcmp(last ? last + 1 : before + 1, now))
        return before;
    return arena_format(arena, "%.*s, %s", (int)(strlen(before) - 1), before, now);
}

static void describe(FILE *out, struct arena *arena, const struct scenario *scenario,
                     const char *scenario_file, const struct run_facts *facts,
                     const char *looked_at)
{
    const struct report *report = scenario_report(scenario);
    const char *base = strrchr(scenario_file, '/');
    fprintf(out, "{\n  \"version\": \"%s\",\n", ORRERY_VERSION);
    fprintf(out, "  \"name\": %s,\n", output_json_text(arena, report->name));
    fprintf(out, "  \"scenario_file\": %s,\n",
            output_json_text(arena, base ? base + 1 : scenario_file));
    fprintf(out, "  \"scenario_hash\": \"%s\",\n", scenario_hash(scenario));
    fprintf(out, "  \"seed\": %" PRIu64 ",\n", report->seed);
    fprintf(out, "  \"points\": %" PRIu32 ",\n", report->point_count);
    fprintf(out, "  \"replications\": %" PRIu32 ",\n", report->replications);
    fprintf(out, "  \"looks\": %s,\n", looked_at);
    /* Whole nanoseconds as seconds, by integers: the same in every locale. */
    fprintf(out, "  \"warmup_s\": %" PRId64 ".%09" PRId64 ",\n", report->warmup / 1000000000,
            report->warmup % 1000000000);
    fprintf(out, "  \"duration_s\": %" PRId64 ".%09" PRId64 ",\n", report->duration / 1000000000,
            report->duration % 1000000000);
    fprintf(out, "  \"complete\": %s,\n", facts->complete ? "true" : "false");
    fprintf(out, "  \"divergence\": %s,\n", output_json_text(arena, facts->divergence));
    fprintf(out, "  \"runs\": %" PRIu64 ",\n", facts->runs);
    fprintf(out, "  \"events\": %" PRIu64 ",\n", facts->events);
    fprintf(out, "  \"unfinished\": %" PRIu64 ",\n", facts->unfinished);
    fprintf(out, "  \"fingerprint\": \"%016" PRIx64 "\",\n", facts->fingerprint);
    int64_t wall_ms = (int64_t)(facts->wall_s * 1e3 + 0.5);
    fprintf(out, "  \"wall_s\": %" PRId64 ".%03" PRId64 ",\n", wall_ms / 1000, wall_ms % 1000);
    fprintf(out, "  \"scenario\": %s\n}\n", output_json_text(arena, scenario_canonical(scenario)));
}

bool folder_describe(const char *directory, const struct scenario *scenario,
                     const char *scenario_file, const struct run_facts *facts)
{
    struct arena arena = {0};
    const char *path = arena_format(&arena, "%s/run.json", directory);
    const char *beside = arena_format(&arena, "%s/run.json.new", directory);
    const char *looked_at = looks(&arena, path, scenario, facts);
    FILE *out = fopen(beside, "w");
    bool whole = out != NULL;
    if (out) {
        describe(out, &arena, scenario, scenario_file, facts, looked_at);
        whole = !ferror(out);
        whole = fclose(out) == 0 && whole;
    }
    whole = whole && rename(beside, path) == 0;
    if (!whole) {
        complain("cannot write %s: %s", path, strerror(errno));
        unlink(beside);
    }
    arena_free(&arena);
    return whole;
}
