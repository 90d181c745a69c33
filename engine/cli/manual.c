/* `orrery models` and `orrery schema`: what the tables say, for people and for editors. */
#include "engine/cli/cli.h"
#include "engine/scenario/describe.h"
#include "engine/scenario/diagnostic.h"
#include "models/registry.h"

int command_models(const struct command *command, const struct options *options)
{
    (void)command;
    const char *name = options->operand_count ? options->operands[0] : NULL;
    if (describe_models(model_kinds, name, stdout))
        return answer_end(EXIT_DONE);
    const char *names[64];
    size_t count = 0;
    while (count < 64 && model_kinds[count]) {
        names[count] = model_kinds[count]->name;
        count++;
    }
    const char *nearest = diagnostic_nearest(name, names, count);
    if (nearest)
        complain("there is no kind `%s`; did you mean `%s`?", name, nearest);
    else
        complain("there is no kind `%s`; `orrery models` lists them", name);
    return EXIT_USAGE;
}

int command_schema(const struct command *command, const struct options *options)
{
    (void)command;
    (void)options;
    describe_schema(model_kinds, stdout);
    return answer_end(EXIT_DONE);
}
