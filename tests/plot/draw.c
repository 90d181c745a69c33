/* Draws a result folder as `orrery plot` does: `draw DIRECTORY FORMAT`. Prints the pictures. */
#include "plot/plot.h"

int main(int argc, char **argv)
{
    struct plot_report report;
    if (argc != 3 || !plot_format_known(argv[2]))
        return 2;
    int status = plot_directory(argv[1], argv[2], stderr, &report);
    for (size_t i = 0; i < report.count; i++)
        printf("%s\n", report.files[i]);
    return status;
}
