#include "engine/scenario/unit.h"
#include "tests/suite.h"

#include <stdlib.h>

static double value_of(const char *text, enum unit_dimension dimension)
{
    struct quantity q = {0};
    CU_ASSERT_TRUE(unit_parse(text, dimension, &q, NULL));
    return q.value;
}

static void every_unit_is_worth_what_its_name_says(void)
{
    CU_ASSERT_EQUAL(value_of("5ms", UNIT_TIME), 5e6);
    CU_ASSERT_EQUAL(value_of("7us", UNIT_TIME), 7e3);
    CU_ASSERT_EQUAL(value_of("9ns", UNIT_TIME), 9);
    CU_ASSERT_EQUAL(value_of("1.5s", UNIT_TIME), 15e8);
    CU_ASSERT_EQUAL(value_of("2min", UNIT_TIME), 120e9);
    CU_ASSERT_EQUAL(value_of("3h", UNIT_TIME), 10800e9);
    CU_ASSERT_EQUAL(value_of("2d", UNIT_TIME), 172800e9);
    CU_ASSERT_EQUAL(value_of("64KiB", UNIT_BYTES), 65536);
    CU_ASSERT_EQUAL(value_of("2MB", UNIT_BYTES), 2e6);
    CU_ASSERT_EQUAL(value_of("1GiB", UNIT_BYTES), 1073741824.0);
    CU_ASSERT_EQUAL(value_of("10Mbit/s", UNIT_BANDWIDTH), 1.25e6);
    CU_ASSERT_EQUAL(value_of("3KB/s", UNIT_BANDWIDTH), 3000);
    CU_ASSERT_EQUAL(value_of("200/s", UNIT_RATE), 200);
    CU_ASSERT_EQUAL(value_of("24/min", UNIT_RATE), 0.4);
    CU_ASSERT_EQUAL(value_of("2k/s", UNIT_RATE), 2000);
    CU_ASSERT_EQUAL(value_of("36/h", UNIT_RATE), 0.01);
    CU_ASSERT_EQUAL(value_of("25%", UNIT_SHARE), 0.25);
    CU_ASSERT_EQUAL(value_of("x4", UNIT_FACTOR), 4);
    CU_ASSERT_EQUAL(value_of("200ppm", UNIT_PPM), 200e-6);
    CU_ASSERT_EQUAL(value_of("0.17 USD/h", UNIT_MONEY), 0.17);
    CU_ASSERT_EQUAL(value_of("10k", UNIT_PLAIN), 10000);
    CU_ASSERT_EQUAL(value_of("1.5M", UNIT_PLAIN), 1.5e6);
    CU_ASSERT_EQUAL(value_of("-500ms", UNIT_TIME), -5e8);
}

static void times_are_exact_to_the_nanosecond(void)
{
    struct quantity q;
    CU_ASSERT_TRUE(unit_parse("0.1s", UNIT_TIME, &q, NULL));
    CU_ASSERT_EQUAL(q.whole, 100000000);
    CU_ASSERT_TRUE(q.is_whole);
    CU_ASSERT_TRUE(unit_parse("1.000000001s", UNIT_TIME, &q, NULL));
    CU_ASSERT_EQUAL(q.whole, 1000000001);
    CU_ASSERT_TRUE(unit_parse("9223372036.854775807s", UNIT_TIME, &q, NULL));
    CU_ASSERT_EQUAL(q.whole, INT64_MAX);
    CU_ASSERT_TRUE(q.is_whole);
    CU_ASSERT_FALSE(unit_parse("9223372036.854775808s", UNIT_TIME, &q, NULL));
    CU_ASSERT_TRUE(unit_parse("0.5ns", UNIT_TIME, &q, NULL));
    CU_ASSERT_EQUAL(q.whole, 1);
    CU_ASSERT_FALSE(q.is_whole);
    CU_ASSERT_TRUE(unit_parse("0.3us", UNIT_TIME, &q, NULL));
    CU_ASSERT_EQUAL(q.whole, 300);
    CU_ASSERT_TRUE(q.is_whole);
}

static void zero_needs_no_unit(void)
{
    for (int d = 0; d < UNIT_COUNT; d++) {
        struct quantity q;
        CU_ASSERT_TRUE(unit_parse("0", (enum unit_dimension)d, &q, NULL));
        CU_ASSERT_EQUAL(q.value, 0);
        CU_ASSERT_EQUAL(q.dimension, (enum unit_dimension)d);
    }
}

/* The next of a fixed sequence of 64-bit numbers (SplitMix64). */
static uint64_t next_of(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void decimals_become_the_nearest_double_as_strtod_finds_it(void)
{
    uint64_t state = 1;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        uint64_t digits = next_of(&state) >> next_of(&state) % 64;
        unsigned places = (unsigned)(next_of(&state) % 20);
        int length =
            snprintf(text, sizeof text, "%0*llu", (int)places + 1, (unsigned long long)digits);
        if (length > 19)
            continue;
        if (places) {
            memmove(text + length - (int)places + 1, text + length - (int)places, places + 1);
            text[length - (int)places] = '.';
        }
        struct quantity q;
        if (!unit_read(text, &q, NULL)) {
            CU_ASSERT_TRUE(strtod(text, NULL) >= 9.2e18);
            continue;
        }
        CU_ASSERT_EQUAL(q.value, strtod(text, NULL));
    }
}

static void text_of_a_quantity_reads_back_exactly(void)
{
    uint64_t state = 2;
    for (int i = 0; i < 50000; i++) {
        char text[UNIT_TEXT_SIZE];
        struct quantity q;
        int64_t time = (int64_t)(next_of(&state) >> (1 + next_of(&state) % 62));
        unit_format_time(time, text);
        CU_ASSERT_TRUE_FATAL(unit_parse(text, UNIT_TIME, &q, NULL));
        CU_ASSERT_EQUAL(q.whole, time);
        CU_ASSERT_TRUE(q.is_whole);
        enum unit_dimension d = (enum unit_dimension)(next_of(&state) % UNIT_COUNT);
        double value = (double)(next_of(&state) >> 11) / 9007199254740992.0 *
                       (double)(UINT64_C(1) << next_of(&state) % 40);
        unit_format(value, d, text);
        CU_ASSERT_TRUE_FATAL(unit_parse(text, d, &q, NULL));
        CU_ASSERT_EQUAL(q.value, value);
    }
}

static void format_is(const char *text, enum unit_dimension dimension)
{
    char out[UNIT_TEXT_SIZE];
    CU_ASSERT_STRING_EQUAL(unit_format(value_of(text, dimension), dimension, out), text);
}

static void canonical_text_is_what_a_person_would_write(void)
{
    static const struct {
        const char *text;
        enum unit_dimension dimension;
    } same[] = {
        {"5ms", UNIT_TIME},         {"1.5s", UNIT_TIME},         {"90s", UNIT_TIME},
        {"2min", UNIT_TIME},        {"1d", UNIT_TIME},           {"300us", UNIT_TIME},
        {"200/s", UNIT_RATE},       {"24/min", UNIT_RATE},       {"1k/s", UNIT_RATE},
        {"25%", UNIT_SHARE},        {"0.1%", UNIT_SHARE},        {"x4", UNIT_FACTOR},
        {"200ppm", UNIT_PPM},       {"0.17 USD/h", UNIT_MONEY},  {"10Mbit/s", UNIT_BANDWIDTH},
        {"10MB/s", UNIT_BANDWIDTH}, {"1Gbit/s", UNIT_BANDWIDTH}, {"64KiB", UNIT_BYTES},
        {"1.5KB", UNIT_BYTES},      {"10k", UNIT_PLAIN},         {"1500", UNIT_PLAIN},
        {"0.25", UNIT_PLAIN},       {"0s", UNIT_TIME},           {"-5ms", UNIT_TIME},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        format_is(same[i].text, same[i].dimension);
    char text[UNIT_TEXT_SIZE];
    CU_ASSERT_STRING_EQUAL(unit_format_short(1234567, UNIT_TIME, 3, text), "1.23ms");
    CU_ASSERT_STRING_EQUAL(unit_format_short(2.0 / 3, UNIT_SHARE, 4, text), "66.67%");
    CU_ASSERT_STRING_EQUAL(unit_format_short(82.4999, UNIT_RATE, 3, text), "82.5/s");
}

static void refused(const char *text, enum unit_dimension dimension, const char *message,
                    const char *hint)
{
    struct quantity q;
    struct unit_problem problem = {0};
    CU_ASSERT_FALSE(unit_parse(text, dimension, &q, &problem));
    CU_ASSERT_STRING_EQUAL(problem.message, message);
    CU_ASSERT_STRING_EQUAL(problem.hint, hint);
}

static void what_is_no_quantity_is_refused_with_what_would_be(void)
{
    refused("5", UNIT_TIME, "a time needs a unit", "write 5ms; the units are ns us ms s min h d");
    refused("5ms", UNIT_RATE, "`5ms` is a time, and a rate is wanted",
            "the units of a rate are /s /min /h");
    refused("0.25", UNIT_SHARE, "a share needs a unit", "write 25%");
    refused("4", UNIT_FACTOR, "a factor needs a unit", "write x4");
    refused("5ms", UNIT_PLAIN, "`5ms` is a time, and a plain number is wanted",
            "a number stands without a unit, and may carry k M G");
    refused("010", UNIT_PLAIN, "`010` begins with a zero", "leave out the leading zeros");
    refused("1:30", UNIT_TIME, "`1:30` is no number", "write a time with its unit: 90min, 1.5h");
    refused("1e3", UNIT_PLAIN, "`1e3` has an exponent", "write 1k, 1M or 0.001");
    refused("+5", UNIT_PLAIN, "`+5` has a sign", "leave out the `+`");
    refused("0x10", UNIT_PLAIN, "`0x10` is no number", "numbers are decimal");
    refused("5 ms", UNIT_TIME, "`ms` is no unit", "write 5ms without the space");
    refused("5sec", UNIT_TIME, "`sec` is no unit", "write 5s");
    refused("5m", UNIT_TIME, "`m` is no unit", "write 5min");
    refused("10Mb/s", UNIT_BANDWIDTH, "`Mb/s` is no unit", "write 10Mbit/s");
    refused("4x", UNIT_FACTOR, "`x` is no unit", "write x4");
    refused("1,5s", UNIT_TIME, "`,5s` is no unit", "the decimal sign is a point");
    refused(".5s", UNIT_TIME, "`.5s` is no number", "write the zero: 0.5");
    refused("5.s", UNIT_TIME, "`5.s` is no number", "digits must follow the point");
    refused("0.17USD/h", UNIT_MONEY, "`USD/h` is no unit", "write 0.17 USD/h");
    refused("fast", UNIT_TIME, "`fast` is no number", "ns us ms s min h d");
    refused("", UNIT_PLAIN, "`` is no number", "for example 5, 10k");
    refused("12345678901234567890", UNIT_PLAIN, "`12345678901234567890` has more than 19 digits",
            "");
    refused("300000000000000h", UNIT_TIME, "the value is too large", "");
}

SUITE("quantities", TEST(every_unit_is_worth_what_its_name_says),
      TEST(times_are_exact_to_the_nanosecond), TEST(zero_needs_no_unit),
      TEST(decimals_become_the_nearest_double_as_strtod_finds_it),
      TEST(text_of_a_quantity_reads_back_exactly),
      TEST(canonical_text_is_what_a_person_would_write),
      TEST(what_is_no_quantity_is_refused_with_what_would_be))
