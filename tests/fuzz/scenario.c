/* Any bytes as a whole scenario, swept: loading it ends without a fault in an answer, a scenario or
 * at least one error, and every blueprint of a scenario can be made and freed. */
#include "engine/scenario/scenario.h"
#include "engine/scenario/validate.h"
#include "models/registry.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Blueprints made of one input; sweeps of thousands of points add no new path. */
enum { POINTS_MAX = 4 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct diagnostics diagnostics = {0};
    struct scenario_request request = {
        .path = "fuzz", .kinds = model_kinds, .sweep = true, .validate = true};
    struct scenario *scenario =
        scenario_load_text(&request, (const char *)data, size, &diagnostics);
    if (!scenario == !diagnostics.error_count)
        abort();
    char *told = NULL;
    size_t told_size = 0;
    FILE *to = open_memstream(&told, &told_size);
    if (!to)
        abort();
    diagnostic_print(&diagnostics, to, false);
    fclose(to);
    free(told);
    if (scenario) {
        uint32_t count = scenario_report(scenario)->point_count;
        for (uint32_t i = 0; i < count && i < POINTS_MAX; i++)
            scenario_blueprint_free(scenario_blueprint(scenario, i));
        FILE *nowhere = fopen("/dev/null", "w");
        if (nowhere && count <= POINTS_MAX)
            scenario_validate(scenario, nowhere);
        if (nowhere)
            fclose(nowhere);
        scenario_free(scenario);
    }
    diagnostic_free(&diagnostics);
    return 0;
}
