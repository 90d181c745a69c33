/* From parts to files: the bytes, the arithmetic of what stands in them, and what remains when the
 * machine refuses. */
#include "output/csv.h"
#include "tests/runs.h"
#include "tests/suite.h"

#include <math.h>
#include <sys/stat.h>

static void write_parts(const char *dir, uint32_t replications, uint32_t skip, bool backwards)
{
    struct output_error error;
    for (uint32_t i = 1; i <= replications; i++) {
        uint32_t r = backwards ? replications + 1 - i : i;
        if (r == skip)
            continue;
        struct result *result = make_run(&(struct made_up){r, r % 3, 0});
        struct part_identity id = {"cafe", 1, r, 7};
        CU_ASSERT_FATAL(output_part_write(dir, &id, result, &error));
        result_free(result);
    }
}

static char *read_file(const char *dir, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = calloc(1, 1 << 20);
    size_t size = fread(text, 1, (1 << 20) - 1, f);
    text[size] = 0;
    fclose(f);
    return text;
}

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (!strncmp(at, line, length) && (at[length] == '\n' || line[length - 1] == ','))
            return true;
    printf("missing: %s\n", line);
    return false;
}

static void the_files_hold_the_numbers_of_the_runs(void)
{
    char *dir = make_folder();
    write_parts(dir, 6, 0, false);
    struct report report = make_report(6);
    struct output_error error;
    struct outcome *o = output_derive(dir, &report, "cafe", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL(o->part_count, 6);
    CU_ASSERT_EQUAL(o->events, 600);
    char *summary = read_file(dir, "summary.csv");
    CU_ASSERT(has_line(summary, "point,node,operation,metric,statistic,unit,estimate,ci95_low,"
                                "ci95_high,n,replications,method,flags"));
    /* Failures 1,2,0,1,2,0 of 100: 6 of 600; K = 4 of 6 runs. Clopper-Pearson high of 4 in 6. */
    CU_ASSERT(has_line(summary, "1,users,all,errors,ratio,1,0.01,0,0.956728132,600,6,rare,"));
    CU_ASSERT(has_line(summary, "1,users,all,timeouts,total,1,1,0,NaN,6,6,rare,"));
    CU_ASSERT(has_line(summary, "1,users,all,timeouts,runs_with,1,0.666666667,0.222778096,"
                                "0.956728132,6,6,clopper,"));
    /* Slots are up for 20 s, busy for 15 s, in every run. */
    CU_ASSERT(has_line(summary, "1,web,all,utilization,mean,1,0.75,0.75,0.75,6,6,t,"));
    CU_ASSERT(has_line(summary, "1,web.2,all,utilization,mean,1,0.5,0.5,0.5,6,6,t,"));
    /* Queues of 1 .. 6 for 2 s of 10: mean 0.7, s = 0.2 sqrt(3.5), t = 2.5705818356. */
    CU_ASSERT(has_line(summary, "1,web,all,queue_length,mean,1,0.7,0.307337139,1.09266286,6,6,t,"));
    CU_ASSERT(has_line(summary, "1,web,all,queue_length,max,1,6,NaN,NaN,6,6,none,"));
    CU_ASSERT(has_line(summary, "1,users,write,latency,p50,ms,20.000000,20.000000,20.000000,"));
    CU_ASSERT(has_line(summary, "1,users,all,latency,min,ms,11.000000,NaN,NaN,594,6,none,"));
    char *replications = read_file(dir, "replications.csv");
    CU_ASSERT(has_line(replications, "1,users,all,errors,ratio,1,2,7,0.02,100"));
    CU_ASSERT(has_line(replications, "1,users,read,latency,mean,ms,3,7,13.000000,50"));
    CU_ASSERT(has_line(replications, "1,users,all,throughput,rate,/s,2,7,9.8,10"));
    char *series = read_file(dir, "series.csv");
    CU_ASSERT(has_line(series, "1,2,4.000000,users,latency,mean,ms,16.000000"));
    CU_ASSERT(has_line(series, "1,2,0.000000,users,latency,p50,ms,12.000000"));
    CU_ASSERT(has_line(series, "1,5,0.000000,web,queue_length,mean,1,2.5"));
    CU_ASSERT(has_line(series, "1,1,8.000000,web.2,utilization,mean,1,1"));
    char *distributions = read_file(dir, "distributions.csv");
    CU_ASSERT(
        has_line(distributions, "point,node,operation,metric,unit,low,high,count,cumulative"));
    CU_ASSERT(has_line(distributions, "1,web,all,queue_length,1,0,1,48.000000,0.8"));
    CU_ASSERT(has_line(distributions, "1,web,all,queue_length,1,6,7,2.000000,1"));
    free(summary);
    free(replications);
    free(series);
    free(distributions);
    outcome_free(o);
    drop_folder(dir);
}

static const char *const files[] = {"summary.csv", "replications.csv", "distributions.csv",
                                    "series.csv"};

static void the_order_of_writing_parts_changes_no_byte(void)
{
    char *dirs[2];
    struct report report = make_report(5);
    struct output_error error;
    for (int i = 0; i < 2; i++) {
        dirs[i] = make_folder();
        write_parts(dirs[i], 5, 0, i);
        outcome_free(output_derive(dirs[i], &report, "cafe", &error));
    }
    for (int f = 0; f < 4; f++) {
        char *a = read_file(dirs[0], files[f]), *b = read_file(dirs[1], files[f]);
        CU_ASSERT_STRING_EQUAL(a, b);
        CU_ASSERT(strlen(a) > 100);
        free(a);
        free(b);
    }
    drop_folder(dirs[0]);
    drop_folder(dirs[1]);
}

static void missing_parts_are_counted_and_the_rest_is_told(void)
{
    char *dir = make_folder();
    write_parts(dir, 6, 3, false);
    struct report report = make_report(6);
    report.series_interval = 0;
    struct output_error error;
    struct outcome *o = output_derive(dir, &report, "cafe", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL(o->part_count, 5);
    CU_ASSERT_EQUAL(o->part_expected, 6);
    char *text = read_file(dir, "summary.csv");
    CU_ASSERT(has_line(text, "1,users,all,errors,ratio,1,0.012,"));
    CU_ASSERT_PTR_NULL(read_file(dir, "series.csv"));
    free(text);
    outcome_free(o);
    o = output_derive(dir, &report, "other", &error);
    CU_ASSERT_EQUAL(o->part_count, 0);
    CU_ASSERT_EQUAL(o->damaged, 5);
    outcome_free(o);
    drop_folder(dir);
}

static void a_machine_that_refuses_leaves_no_file_behind(void)
{
    char *dir = make_folder(), path[300];
    write_parts(dir, 2, 0, false);
    struct report report = make_report(2);
    struct output_error error = {{0}};
    /* A folder stands where the second file is to be written. */
    snprintf(path, sizeof path, "%s/replications.csv.tmp", dir);
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0777), 0);
    CU_ASSERT_PTR_NULL(output_derive(dir, &report, "cafe", &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "replications.csv: "));
    CU_ASSERT_PTR_NULL(read_file(dir, "summary.csv"));
    CU_ASSERT_PTR_NULL(read_file(dir, "summary.csv.tmp"));
    drop_folder(dir);
}

static void fields_are_quoted_where_they_must_be(void)
{
    char *dir = make_folder();
    struct output_error error;
    struct csv csv;
    csv_open(&csv, dir, "quotes.csv");
    csv_text(&csv, "plain");
    csv_text(&csv, "a,b");
    csv_text(&csv, "say \"no\"");
    csv_text(&csv, "two\nlines");
    csv_text(&csv, "");
    csv_value(&csv, NAN, "ms");
    csv_seconds(&csv, 1500000000);
    csv_end(&csv);
    CU_ASSERT(csv_close(&csv, &error) && csv_commit(&csv, &error));
    char *text = read_file(dir, "quotes.csv");
    CU_ASSERT_STRING_EQUAL(text, "plain,\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",,NaN,1.500000\n");
    free(text);
    drop_folder(dir);
}

SUITE("csv", TEST(the_files_hold_the_numbers_of_the_runs),
      TEST(the_order_of_writing_parts_changes_no_byte),
      TEST(missing_parts_are_counted_and_the_rest_is_told),
      TEST(a_machine_that_refuses_leaves_no_file_behind),
      TEST(fields_are_quoted_where_they_must_be))
