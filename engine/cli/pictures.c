/* `orrery plot`: the pictures of a result folder. */
#include "engine/cli/cli.h"
#include "plot/plot.h"

int command_plot(const struct command *command, const struct options *options)
{
    (void)command;
    const char *format = options->format ? options->format : "svg";
    if (!plot_format_known(format)) {
        complain("--format takes svg, png or pdf, not `%s`", format);
        return EXIT_USAGE;
    }
    struct plot_report report = {0};
    int code = plot_directory(options->operands[0], format, stderr, &report);
    for (size_t i = 0; code == 0 && !options->quiet && i < report.count; i++)
        printf("%s/%s\n", options->operands[0], report.files[i]);
    return answer_end(code);
}
