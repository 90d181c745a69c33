/* A test file is a table of named tests and one line:
 *
 *     SUITE("the event queue", TEST(pops_in_order_of_time), TEST(cancel_is_exact))
 *
 * It becomes a program of its own whose closing line `N passed, N failed` counts tests, not
 * assertions. A name is a sentence with underscores. Arguments: -v prints each test's name. */
#ifndef ORRERY_TESTS_SUITE_H
#define ORRERY_TESTS_SUITE_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#define TEST(function) {.pName = #function, .pTestFunc = function}

#define SUITE(title, ...)                                                                          \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};                                    \
        CU_SuiteInfo suites[] = {{.pName = title, .pTests = tests}, CU_SUITE_INFO_NULL};           \
        return suite_run(suites, argc > 1 && !strcmp(argv[1], "-v"));                              \
    }

static inline int suite_run(CU_SuiteInfo *suites, int verbose)
{
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 3;
    CU_basic_set_mode(verbose ? CU_BRM_VERBOSE : CU_BRM_SILENT);
    CU_basic_run_tests();
    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext)
        printf("FAILED %s: %s:%u: %s\n", f->pTest ? f->pTest->pName : "(suite)", f->strFileName,
               f->uiLineNumber, f->strCondition);
    unsigned failed = CU_get_number_of_tests_failed();
    unsigned passed = CU_get_number_of_tests_run() - failed;
    printf("%s: %u passed, %u failed\n", suites[0].pName, passed, failed);
    CU_cleanup_registry();
    return failed || !passed;
}

#endif
