/* `orrery validate`: every mistake and oddity of scenarios, without playing them. */
#include "engine/scenario/validate.h"
#include "engine/cli/cli.h"
#include "engine/scenario/diagnostic.h"
#include "engine/scenario/scenario.h"
#include "models/registry.h"

static int validate(const char *path, const struct options *options)
{
    struct diagnostics diagnostics = {0};
    struct scenario_request request = {
        .path = path,
        .sets = options->sets,
        .set_count = options->set_count,
        .kinds = model_kinds,
        .sweep = true,
        .validate = true,
    };
    if (!scenario_readable(path))
        return EXIT_MACHINE;
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    /* With -q the same is looked at, for the warnings, and the page goes nowhere. */
    FILE *page = options->quiet ? fopen("/dev/null", "w") : stdout;
    if (!page) {
        complain("cannot write /dev/null");
        scenario_free(scenario);
        diagnostic_free(&diagnostics);
        return EXIT_MACHINE;
    }
    if (scenario)
        scenario_validate(scenario, page);
    if (page != stdout)
        (void)fclose(page);
    diagnostic_print(&diagnostics, stderr, options_color(options, stderr));
    int code = scenario ? EXIT_DONE : EXIT_USAGE;
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
    return code;
}

int command_validate(const struct command *command, const struct options *options)
{
    (void)command;
    int worst = EXIT_DONE;
    for (uint32_t i = 0; i < options->operand_count; i++) {
        int code = validate(options->operands[i], options);
        worst = code > worst ? code : worst;
    }
    return answer_end(worst);
}
