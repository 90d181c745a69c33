/* Writes a result folder as `orrery run` or `orrery sweep` would, from closed formulas and a fixed
 * pseudo-random sequence, so that pictures can be tested without a run: `fixture KIND DIRECTORY`.
 *   run      two clients, a balancer, four web servers and a database; series and two faults
 *   load     a sweep of one rate, one client, latency of an M/M/1 queue
 *   grid     a sweep of a rate and a policy (nodes.lb.policy), without distributions and series
 *   words    a sweep of a policy alone, with series: lines that differ in their point
 *   many     twelve points and eighteen servers: more than any picture shows
 *   hostile  the run, with names that are commands to gnuplot, a shell and an SVG reader */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT, BALANCER, SERVER, INSTANCE };

struct node {
    const char *name;
    int kind;
    double load, time_ms; /* utilization at the first point, mean service time */
};

struct kind {
    const char *name, *title;
    const struct node *nodes;
    const char *parameters[2];
    const char *const *values[2];
    size_t counts[2];
    bool series, distributions;
};

static const struct node shop[] = {
    {"users", CLIENT, 0.62, 14},  {"mobile", CLIENT, 0.62, 31}, {"lb", BALANCER, 0.05, 0.2},
    {"web", SERVER, 0.62, 9},     {"web.1", INSTANCE, 0.71, 9}, {"web.2", INSTANCE, 0.64, 9},
    {"web.3", INSTANCE, 0.60, 9}, {"web.4", INSTANCE, 0.53, 9}, {"db", SERVER, 0.41, 4},
    {"db.1", INSTANCE, 0.40, 4},  {"db.2", INSTANCE, 0.42, 4},  {NULL, 0, 0, 0},
};
static const struct node desk[] = {
    {"users", CLIENT, 0, 10}, {"desk", SERVER, 0, 10}, {NULL, 0, 0, 0}};
static const struct node hostile[] = {
    {"a'.system(\"touch pwned\").'", CLIENT, 0.62, 14},
    {"`touch pwned`", CLIENT, 0.5, 31},
    {"$(touch pwned), {/*9 x}^2 \\n <b>&amp;&#x0; 100% %s", SERVER, 0.62, 9},
    {"two\nlines.\"quoted\"", SERVER, 0.5, 4},
    {"@pwned", SERVER, 0.3, 2},
    {"@pwned.1", INSTANCE, 0.3, 2},
    {"@pwned.2", INSTANCE, 0.35, 2},
    {NULL, 0, 0, 0},
};
static const char *const rates[] = {"10/s", "20/s", "30/s", "40/s", "50/s",
                                    "60/s", "70/s", "80/s", "90/s", "95/s"};
static const char *const policies[] = {"random", "round_robin", "power_of_two",
                                       "least_connections"};
static const char *const caches[] = {"1k",   "2k",   "5k",   "10k", "20k", "50k",
                                     "100k", "200k", "500k", "1M",  "2M",  "5M"};
static const char *const traps[] = {"`touch pwned`", "'.system('touch pwned').'",
                                    "a\"b,%s\n$(touch pwned)"};
static const struct node farm[] = {
    {"users", CLIENT, 0.5, 12},     {"cache", SERVER, 0.7, 3},      {"cache.1", INSTANCE, 0.98, 3},
    {"cache.2", INSTANCE, 0.9, 3},  {"cache.3", INSTANCE, 0.8, 3},  {"cache.4", INSTANCE, 0.77, 3},
    {"cache.5", INSTANCE, 0.75, 3}, {"cache.6", INSTANCE, 0.7, 3},  {"cache.7", INSTANCE, 0.66, 3},
    {"cache.8", INSTANCE, 0.6, 3},  {"cache.9", INSTANCE, 0.6, 3},  {"cache.10", INSTANCE, 0.55, 3},
    {"cache.11", INSTANCE, 0.5, 3}, {"cache.12", INSTANCE, 0.5, 3}, {"cache.13", INSTANCE, 0.5, 3},
    {"cache.14", INSTANCE, 0.4, 3}, {"cache.15", INSTANCE, 0.4, 3}, {"cache.16", INSTANCE, 0.4, 3},
    {"cache.17", INSTANCE, 0.3, 3}, {"cache.18", INSTANCE, 0.2, 3}, {NULL, 0, 0, 0},
};

static const struct kind kinds[] = {
    {"run", "shop behind a load balancer, two faults", shop, {NULL}, {NULL}, {1, 1}, true, true},
    {"load", "one desk, more and more users", desk, {"rate"}, {rates}, {10, 1}, false, true},
    {"grid",
     "which policy bears how much load",
     desk,
     {"nodes.lb.policy", "rate"},
     {policies, rates},
     {4, 10},
     false,
     false},
    {"words", "four policies, one load", shop, {"nodes.lb.policy"}, {policies}, {4, 1}, true, true},
    {"many", "how large a cache", farm, {"nodes.cache.capacity"}, {caches}, {12, 1}, true, true},
    {"hostile",
     "<title>'.system(\"touch pwned\").' `touch pwned`, {/:Bold x}_1",
     hostile,
     {"x'.system('touch pwned').'", "y`touch pwned`"},
     {traps, traps},
     {3, 3},
     true,
     true},
};

static uint64_t state = 0x9e3779b97f4a7c15u;

/* Xorshift64* (Vigna 2016), as a number in [-1, 1): the noise of the fixtures. */
static double noise(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(int64_t)(state * 0x2545f4914f6cdd1du) / 9223372036854775808.0;
}

static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(3);
    }
    return file;
}

/* A field after a comma, quoted as RFC 4180 asks. */
static void field(FILE *file, const char *text)
{
    bool quote = strpbrk(text, ",\"\n\r") != NULL;
    fputs(quote ? ",\"" : ",", file);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    fputs(quote ? "\"" : "", file);
}

/* Utilization of a node at a point: by the rate where there is one, else a little more a point. */
static double load_at(const struct kind *kind, const struct node *node, size_t point)
{
    for (size_t i = 0; i < 2; i++)
        if (kind->values[i] == rates) {
            size_t index = i == 0 ? point / kind->counts[1] : point % kind->counts[1];
            static const double better[] = {1, 0.99, 0.93, 0.9};
            return strtod(rates[index], NULL) / 100 *
                   (i == 1 ? better[point / kind->counts[1]] : 1);
        }
    double load = node->load * (1 + 0.04 * (double)point);
    return load < 0.985 ? load : 0.985;
}

/* The quantile p of an exponential sojourn, as in M/M/1 with that load. */
static double quantile(const struct node *node, double load, double p)
{
    return node->time_ms / (1 - load) * -log(1 - p) + node->time_ms * 0.2;
}

static void key(FILE *file, const struct kind *kind, size_t point, const struct node *node)
{
    fprintf(file, "%zu", point + 1);
    for (size_t i = 0; i < 2 && kind->parameters[i]; i++)
        field(file, kind->values[i][i == 0 ? point / kind->counts[1] : point % kind->counts[1]]);
    field(file, node->name);
}

static void row(FILE *file, const struct kind *kind, size_t point, const struct node *node,
                const char *what, double value, double half, const char *method)
{
    key(file, kind, point, node);
    fprintf(file, ",all,%s,%.9g,%.9g,%.9g,54000,10,%s,\n", what, value, value - half, value + half,
            method);
}

static void write_summary(const char *directory, const struct kind *kind, size_t points)
{
    static const double p[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    static const char *const names[] = {"latency,p50,ms", "latency,p90,ms", "latency,p95,ms",
                                        "latency,p99,ms", "latency,p99.9,ms"};
    FILE *file = create(directory, "summary.csv");
    fputs("point", file);
    for (size_t i = 0; i < 2 && kind->parameters[i]; i++)
        field(file, kind->parameters[i]);
    fputs(",node,operation,metric,statistic,unit,estimate,ci95_low,ci95_high,n,replications,method,"
          "flags\n",
          file);
    for (size_t point = 0; point < points; point++)
        for (const struct node *node = kind->nodes; node->name; node++) {
            double load = load_at(kind, node, point);
            for (size_t i = 0; node->kind != INSTANCE && i < 5; i++) {
                double value = quantile(node, load, p[i]);
                double half = value * 0.004 / (1 - load) * (1 + 2 * p[i]);
                row(file, kind, point, node, names[i], value, half, "woodruff");
            }
            if (node->kind == CLIENT) {
                row(file, kind, point, node, "throughput,rate,/s", 100 * load, 1, "t");
                row(file, kind, point, node, "errors,ratio,", load > 0.9 ? load - 0.9 : 0, 0,
                    "ratio");
            } else {
                row(file, kind, point, node, "utilization,mean,", load, 0.012, "t");
                row(file, kind, point, node, "queue_length,mean,", load * load / (1 - load), 0.1,
                    "t");
            }
        }
    fclose(file);
}

static void write_distributions(const char *directory, const struct kind *kind, size_t points)
{
    enum { BUCKETS = 900, TOTAL = 540000 };
    FILE *file = create(directory, "distributions.csv");
    fputs("point,node,operation,metric,unit,low,high,count,cumulative\n", file);
    for (size_t point = 0; point < points; point++)
        for (const struct node *node = kind->nodes; node->name; node++) {
            if (node->kind == INSTANCE)
                continue;
            double load = load_at(kind, node, point), low = node->time_ms * 0.2, before = 0;
            for (size_t i = 1; i <= BUCKETS && before < TOTAL; i++) {
                double high = low * 1.008;
                double share = -expm1(-(high - node->time_ms * 0.2) * (1 - load) / node->time_ms);
                double seen = floor(TOTAL * share + 0.5);
                if (seen > before) {
                    fprintf(file, "%zu", point + 1);
                    field(file, node->name);
                    fprintf(file, ",all,latency,ms,%.6f,%.6f,%.0f,%.9g\n", low, high, seen - before,
                            seen / TOTAL);
                }
                before = seen;
                low = high;
            }
        }
    fclose(file);
}

/* A slow-down between 60 s and 75 s, and what it does. */
static double trouble(double time_s)
{
    return time_s < 60 || time_s >= 92 ? 0 : time_s < 75 ? 1 : (92 - time_s) / 17;
}

static void write_series(const char *directory, const struct kind *kind, size_t points)
{
    enum { SECONDS = 120, REPLICATIONS = 6 };
    FILE *file = create(directory, "series.csv");
    fputs("point,replication,time_s,node,metric,statistic,unit,value\n", file);
    for (size_t point = 0; point < points; point++)
        for (int replication = 1; replication <= REPLICATIONS; replication++)
            for (const struct node *node = kind->nodes; node->name; node++)
                for (int second = 0; second < SECONDS; second++) {
                    double load = load_at(kind, node, point), bad = trouble(second);
                    double p99 = quantile(node, load, 0.99) * (1 + 0.15 * noise() + 6 * bad);
                    double rate = 100 * load * (1 + 0.1 * noise() - 0.9 * bad);
                    double queue = load * load / (1 - load) * (1 + 0.5 * noise() + 15 * bad);
                    bool asks = node->kind == CLIENT;
                    if (node->kind == INSTANCE)
                        continue;
                    fprintf(file, "%zu,%d,%d.000000", point + 1, replication, second);
                    field(file, node->name);
                    if (asks)
                        fprintf(file, ",throughput,rate,/s,%.9g\n", rate);
                    else
                        fprintf(file, ",queue_length,mean,,%.9g\n", queue);
                    fprintf(file, "%zu,%d,%d.000000", point + 1, replication, second);
                    field(file, node->name);
                    if (second >= 67 && second < 72)
                        fputs(",latency,p99,ms,NaN\n", file);
                    else
                        fprintf(file, ",latency,p99,ms,%.6f\n", p99);
                }
    fclose(file);
}

static void write_faults(const char *directory, const struct kind *kind, size_t points)
{
    bool bad = kind->nodes == hostile;
    FILE *file = create(directory, "faults.csv");
    fputs("point,replication,start_s,end_s,name,action,target,amount\n", file);
    for (size_t point = 1; point <= points; point++)
        for (int replication = 1; replication <= 6; replication++) {
            fprintf(file, "%zu,%d,60.000000,75.000000", point, replication);
            field(file, bad ? "'.system(\"touch pwned\").'" : "slow_web");
            fputs(",slow,web.1,x4\n", file);
            fprintf(file, "%zu,%d,66.000000,70.000000", point, replication);
            field(file, bad ? "`touch pwned`" : "cut");
            fputs(",partition,db.1,\n", file);
        }
    fclose(file);
}

int main(int argc, char **argv)
{
    const struct kind *kind = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i].name, argv[1]))
            kind = &kinds[i];
    if (!kind) {
        fprintf(stderr, "usage: fixture run|load|grid|words|many|hostile DIRECTORY\n");
        return 2;
    }
    size_t points = kind->counts[0] * kind->counts[1];
    write_summary(argv[2], kind, points);
    if (kind->distributions)
        write_distributions(argv[2], kind, points);
    if (kind->series) {
        write_series(argv[2], kind, points);
        write_faults(argv[2], kind, points);
    }
    FILE *file = create(argv[2], "run.json");
    fputs("{\n  \"version\": \"0.1.0\",\n  \"name\": \"", file);
    for (const char *c = kind->title; *c; c++)
        fputs(*c == '"' ? "\\\"" : (char[]){*c, '\0'}, file);
    fprintf(file,
            "\",\n  \"scenario_file\": \"%s\",\n  \"seed\": 1,\n  \"scenario_hash\": "
            "\"3f9c1a20b7d4e6f1\",\n  \"warmup_s\": 12,\n  \"duration_s\": 120,\n"
            "  \"scenario\": {\"name\": \"nested\", \"seed\": 99},\n  \"wall_s\": 0.73\n}\n",
            kind->name);
    return fclose(file) ? 3 : 0;
}
