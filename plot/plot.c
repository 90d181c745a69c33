#include "plot/plot.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kernel/check.h"
#include "plot/figure.h"
#include "plot/gnuplot.h"
#include "plot/scripts.h"
#include "plot/sheet.h"

static const struct figure *const figures[] = {&figure_latency, &figure_timeline, &figure_load,
                                               &figure_balance, &figure_heat,     &figure_queue,
                                               &figure_backlog, &figure_hits};
enum { FIGURES = sizeof figures / sizeof figures[0] };

static const char *const formats[] = {"svg", "png", "pdf"};
enum { FORMATS = sizeof formats / sizeof formats[0] };

int plot_format_known(const char *format)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (!strcmp(format, formats[i]))
            return 1;
    return 0;
}

static int write_script(struct folder *folder, const char *name)
{
    for (size_t i = 0; i < plot_script_count; i++)
        if (!strcmp(plot_scripts[i].name, name))
            return sheet_write(folder, arena_format(&folder->arena, "%s.gp", name),
                               plot_scripts[i].text);
    CHECK(!"every figure has a script of its name");
    return 3;
}

/* A picture of an earlier run beside the data of this one would be believed. */
static void remove_stale(struct folder *folder, const char *name)
{
    static const char *const endings[] = {"gp", "csv", "txt", "svg", "png", "pdf"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        unlink(arena_format(&folder->arena, "%s/plots/%s.%s", folder->path, name, endings[i]));
}

/* cairo writes the hour of the day into every PDF. The digits are replaced in place, by as many, so
 * that no offset in the file moves. */
static void forget_date(char *bytes, size_t size)
{
    static const char mark[] = "/CreationDate (D:";
    size_t length = sizeof mark - 1;
    for (size_t i = 0; i + length < size; i++) {
        if (memcmp(bytes + i, mark, length) != 0)
            continue;
        static const char epoch[] = "19700101000000";
        for (size_t k = 0; k < sizeof epoch - 1 && i + length + k < size; k++)
            if (isdigit((unsigned char)bytes[i + length + k]))
                bytes[i + length + k] = epoch[k];
        return;
    }
}

static int finish_pdf(struct folder *folder, const char *path)
{
    FILE *file = fopen(path, "r+b");
    int bad = !file;
    struct stat about;
    if (file && !fstat(fileno(file), &about) && about.st_size > 0) {
        size_t size = (size_t)about.st_size;
        char *bytes = arena_take(&folder->arena, size);
        bad |= fread(bytes, 1, size, file) != size;
        forget_date(bytes, size);
        bad |= fseek(file, 0, SEEK_SET) != 0 || fwrite(bytes, 1, size, file) != size;
    }
    if (file)
        bad |= fclose(file) != 0;
    return bad;
}

/* gnuplot does not tell when it could not write: every format ends with a mark of its own. */
static bool is_whole(const char *path)
{
    static const char *const marks[] = {"</svg>", "IEND", "%%EOF"};
    char end[33] = "";
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t got = fseek(file, -32, SEEK_END) ? 0 : fread(end, 1, 32, file);
    fclose(file);
    for (size_t i = 0; i < FORMATS; i++)
        if (memmem(end, got, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* gnuplot writes beside the name of the picture, which gets it when it is whole. */
static int draw(struct folder *folder, const char *name, const char *format)
{
    struct arena *arena = &folder->arena;
    const char *directory = arena_format(arena, "%s/plots", folder->path);
    const char *part = arena_format(arena, "%s.part.%s", name, format);
    const char *part_path = arena_format(arena, "%s/%s", directory, part);
    const char *path = arena_format(arena, "%s/%s.%s", directory, name, format);
    int status = gnuplot_run(arena, directory, name, part, folder->messages);
    if (!status && !is_whole(part_path)) {
        fprintf(folder->messages,
                "orrery: gnuplot did not write %s to its end: is the disk full?\n", path);
        status = 5;
    }
    if (!status &&
        ((!strcmp(format, "pdf") && finish_pdf(folder, part_path)) || rename(part_path, path))) {
        fprintf(folder->messages, "orrery: %s: %s\n", path, strerror(errno));
        status = 3;
    }
    if (status)
        unlink(part_path);
    return status;
}

static int draw_all(struct folder *folder, const char *format, struct plot_report *report)
{
    bool ready[FIGURES] = {false};
    if (mkdir(arena_format(&folder->arena, "%s/plots", folder->path), 0777) && errno != EEXIST) {
        fprintf(folder->messages, "orrery: %s/plots: %s\n", folder->path, strerror(errno));
        return 3;
    }
    if (write_script(folder, "style"))
        return 3;
    for (size_t i = 0; i < FIGURES; i++) {
        enum figure_result result = figures[i]->prepare(folder, format);
        if (result == FIGURE_FAILED)
            return 3;
        ready[i] = result == FIGURE_READY;
        if (result == FIGURE_NONE)
            remove_stale(folder, figures[i]->name);
        if (ready[i] && write_script(folder, figures[i]->name))
            return 3;
    }
    for (size_t i = 0; i < FIGURES; i++) {
        if (!ready[i])
            continue;
        int status = draw(folder, figures[i]->name, format);
        if (status)
            return status;
        snprintf(report->files[report->count++], PLOT_FILE_MAX, "plots/%s.%s", figures[i]->name,
                 format);
    }
    if (!report->count)
        fprintf(folder->messages,
                "orrery: nothing in %s can be drawn: no latency, no series, no sweep\n",
                folder->path);
    return 0;
}

int plot_directory(const char *directory, const char *format, FILE *messages,
                   struct plot_report *report)
{
    CHECK(plot_format_known(format));
    *report = (struct plot_report){0};
    struct folder folder;
    int status = folder_open(&folder, directory, messages);
    if (!status)
        status = draw_all(&folder, format, report);
    folder_close(&folder);
    return status;
}
