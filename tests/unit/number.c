#include "output/number.h"
#include "tests/suite.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* printf is the oracle: tests run in the C locale. */
static void general_numbers_are_those_of_printf(void)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value = (double)(int64_t)state * pow(10, (double)(state >> 60) - 20 - (i % 3) * 9);
        value = i % 5 ? value : (double)((int64_t)(state >> 40) % 100000) / 1000;
        char expected[NUMBER_ROOM], text[NUMBER_ROOM];
        snprintf(expected, sizeof expected, "%.9g", value);
        CU_ASSERT_STRING_EQUAL(number_general(text, value), expected);
        snprintf(expected, sizeof expected, "%.6f", value);
        if (strcmp(expected, "-0.000000"))
            CU_ASSERT_STRING_EQUAL(number_fixed(text, value, 6), expected);
    }
}

static void edges_are_written_as_promised(void)
{
    char text[NUMBER_ROOM];
    CU_ASSERT_STRING_EQUAL(number_general(text, NAN), "NaN");
    CU_ASSERT_STRING_EQUAL(number_fixed(text, -NAN, 6), "NaN");
    CU_ASSERT_STRING_EQUAL(number_general(text, 0), "0");
    CU_ASSERT_STRING_EQUAL(number_general(text, -0.0), "0");
    CU_ASSERT_STRING_EQUAL(number_fixed(text, -1e-9, 6), "0.000000");
    CU_ASSERT_STRING_EQUAL(number_fixed(text, 12.5, 0), "12");
    CU_ASSERT_STRING_EQUAL(number_in_unit(text, 271.59, "ms"), "271.590000");
    CU_ASSERT_STRING_EQUAL(number_in_unit(text, 1.0 / 3, "/s"), "0.333333333");
    CU_ASSERT_STRING_EQUAL(number_for_people(text, 1234567.8), "1 234 568");
    CU_ASSERT_STRING_EQUAL(number_for_people(text, -1234.5), "-1 234");
    CU_ASSERT_STRING_EQUAL(number_for_people(text, 0.0123456), "0.01235");
}

SUITE("number", TEST(general_numbers_are_those_of_printf), TEST(edges_are_written_as_promised))
