/* Keys of a recorded column: whole numbers are themselves, texts are keys of their own. */
#include "engine/kernel/keys.h"
#include "engine/scenario/scenario.h"
#include "models/client.h"
#include "models/registry.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <unistd.h>

static const char csv[] = "id,note\n"
                          "7,x\n"
                          "beta,x\n"
                          "007,x\n"
                          "4503599627370496,x\n" /* 2^52 */
                          "4503599627370497,x\n" /* no key by number any more */
                          "1.5,x\n"
                          "\"beta\",x\n"
                          "\"a \"\"b\"\", c\",x\n"
                          "\"a \"\"c\"\", c\",x\n"
                          "-1,x\r\n"
                          "\n"
                          "Beta";
static const char yaml[] = "orrery: 1\n"
                           "nodes:\n"
                           "  users: {kind: client, arrivals: poisson(80/s), to: desk,\n"
                           "          keys: trace(keys.csv column=id)}\n"
                           "  desk: {kind: service}\n";
enum { COUNT = 11 };

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static void texts_are_keys_of_their_own(void)
{
    char folder[] = "/tmp/orrery-keys-XXXXXX", path[300];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    put_file(folder, "keys.csv", csv);
    put_file(folder, "keys.yaml", yaml);
    snprintf(path, sizeof path, "%s/keys.yaml", folder);
    struct diagnostics diagnostics = {0};
    struct scenario_request request = {.path = path, .kinds = model_kinds};
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    struct blueprint *b = scenario_blueprint(scenario, 0);
    const struct client_config *config = b->nodes[1].instances[0].configs[0];
    uint64_t keys[COUNT];
    for (uint64_t i = 0; i < COUNT; i++)
        keys[i] = keys_choose(&config->keys, 1, i);
    CU_ASSERT_EQUAL(keys_choose(&config->keys, 1, COUNT), keys[0]); /* round and round */
    CU_ASSERT_EQUAL(keys[0], 7);
    CU_ASSERT_EQUAL(keys[2], 7);
    CU_ASSERT_EQUAL(keys[3], UINT64_C(4503599627370496));
    CU_ASSERT_EQUAL(keys[6], keys[1]); /* quotes are no part of it */
    static const int texts[] = {1, 4, 5, 7, 8, 9, 10};
    enum { TEXTS = sizeof texts / sizeof *texts };
    for (int i = 0; i < TEXTS; i++) {
        CU_ASSERT(keys[texts[i]] >= UINT64_C(1) << 61 && keys[texts[i]] < UINT64_C(1) << 62);
        for (int k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(keys[texts[i]], keys[texts[k]]);
    }
    scenario_blueprint_free(b);
    scenario_free(scenario);
    diagnostic_free(&diagnostics);
    remove_file(folder, "keys.csv");
    remove_file(folder, "keys.yaml");
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

SUITE("recorded keys", TEST(texts_are_keys_of_their_own))
