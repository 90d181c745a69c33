/* `orrery check`: recorded histories, judged. */
#include "engine/cli/cli.h"
#include "engine/scenario/diagnostic.h"
#include "output/output.h"
#include "output/recorded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 20000000, TOLD_MOST = 20 };

static const char *const verdict_names[] = {"yes", "no", "unknown"};

/* What all keys come to. */
struct sum {
    enum linearizable verdict;
    uint32_t yes, no, unknown;
    struct recorded_key all; /* sums; `sessions`: some were judged */
};

static struct sum sum_up(const struct history *history, const struct recorded_key *keys)
{
    struct sum sum = {0};
    for (uint32_t k = 0; k < history->key_count; k++) {
        sum.yes += keys[k].verdict == LINEARIZABLE_YES;
        sum.no += keys[k].verdict == LINEARIZABLE_NO;
        sum.unknown += keys[k].verdict == LINEARIZABLE_UNKNOWN;
        sum.all.sessions = sum.all.sessions || keys[k].sessions;
        sum.all.own_reads += keys[k].own_reads;
        sum.all.own_violations += keys[k].own_violations;
        sum.all.again_reads += keys[k].again_reads;
        sum.all.again_violations += keys[k].again_violations;
    }
    sum.verdict = sum.no ? LINEARIZABLE_NO : sum.unknown ? LINEARIZABLE_UNKNOWN : LINEARIZABLE_YES;
    return sum;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static const struct history_operation *operation_at(const struct history *history, uint32_t line)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->operations[i].line == line)
            return &history->operations[i];
    return NULL;
}

static void print_operation(const struct history *history, uint32_t line)
{
    static const char *const names[] = {"read", "write", "cas", "append"};
    const struct history_operation *o = operation_at(history, line);
    if (!o)
        return;
    printf(" line %" PRIu32 ", %s %s%s%s", line, names[o->type],
           o->type == HISTORY_CAS ? history->texts[o->from] : "", o->type == HISTORY_CAS ? ":" : "",
           history->texts[o->value]);
}

/* One line for each key that is not well, and for each where they are few. */
static void print_keys(const struct history *history, const struct recorded_key *keys)
{
    uint32_t told = 0, left = 0;
    for (uint32_t k = 0; k < history->key_count; k++) {
        const struct history_key *key = &history->keys[k];
        const struct recorded_key *found = &keys[k];
        if (found->verdict == LINEARIZABLE_YES && history->key_count > TOLD_MOST)
            continue;
        if (told++ >= TOLD_MOST) {
            left++;
            continue;
        }
        printf("  %skey %s  %s  %" PRIu32 " operation%s, by %s", key->run, key->name,
               verdict_names[found->verdict], key->count, plural(key->count),
               found->searched ? "search" : "zones");
        if (found->verdict == LINEARIZABLE_NO) {
            printf(":");
            print_operation(history, found->line);
            if (found->searched)
                printf(" fits nowhere behind the %" PRIu32 " that can be put in an order",
                       found->longest);
            else
                printf(" is the first that cannot be, of %" PRIu64, found->anomalies);
        }
        if (found->verdict == LINEARIZABLE_UNKNOWN)
            printf(": the budget of steps has run out (--budget)");
        putchar('\n');
    }
    if (left)
        printf("  and %" PRIu32 " keys more\n", left);
}

static void print_sessions(const struct sum *sum)
{
    const struct recorded_key *all = &sum->all;
    if (!all->sessions) {
        puts("sessions: not judged, because values are written more than once");
        return;
    }
    printf("read your writes: %" PRIu64 " violations in %" PRIu64 " reads of what the session had "
           "written\nmonotonic reads: %" PRIu64 " violations in %" PRIu64
           " reads of what it had read\n",
           all->own_violations, all->own_reads, all->again_violations, all->again_reads);
}

static void print_json(const char *path, const struct history *history,
                       const struct recorded_key *keys, const struct sum *sum)
{
    struct arena arena = {0};
    printf("{\"file\":%s,\"operations\":%" PRIu32 ",\"linearizable\":\"%s\",\"keys\":[",
           output_json_text(&arena, path), history->count, verdict_names[sum->verdict]);
    for (uint32_t k = 0; k < history->key_count; k++) {
        const struct recorded_key *found = &keys[k];
        printf("%s{\"key\":%s,\"operations\":%" PRIu32 ",\"linearizable\":\"%s\",\"by\":\"%s\"",
               k ? "," : "", output_json_text(&arena, history->keys[k].name),
               history->keys[k].count, verdict_names[found->verdict],
               found->searched ? "search" : "zones");
        if (found->line)
            printf(",\"line\":%" PRIu32, found->line);
        putchar('}');
        arena_reset(&arena);
    }
    printf("]");
    if (sum->all.sessions)
        printf(",\"read_your_writes_violations_realtime\":%" PRIu64
               ",\"monotonic_reads_violations_realtime\":%" PRIu64,
               sum->all.own_violations, sum->all.again_violations);
    puts("}");
    arena_free(&arena);
}

static int check(const char *path, const struct options *options)
{
    struct history_problem problem;
    struct history *history = history_read(path, &problem);
    if (!history && !problem.line) {
        complain("cannot read %s: %s", path, strerror(errno));
        return EXIT_MACHINE;
    }
    if (!history) {
        fprintf(stderr, "%s:%" PRIu32 ": error: %s\n", path, problem.line, problem.message);
        return EXIT_USAGE;
    }
    bool empty = options->initial && !strcmp(options->initial, "empty");
    struct recorded_options how = {
        .initial = empty ? "" : options->initial,
        .cas_mismatch = options->cas_fail && !strcmp(options->cas_fail, "mismatch"),
        .budget = options->has_budget ? options->budget : BUDGET,
    };
    struct recorded_key *keys = calloc(history->key_count + 1u, sizeof *keys);
    if (!keys)
        return EXIT_MACHINE;
    recorded_judge(history, &how, keys);
    struct sum sum = sum_up(history, keys);
    if (options->json) {
        print_json(path, history, keys, &sum);
    } else {
        static const char *const words[] = {"linearizable", "not linearizable",
                                            "nobody knows whether linearizable"};
        printf("%s: %s: %" PRIu32 " operation%s on %" PRIu32 " key%s\n", path, words[sum.verdict],
               history->count, plural(history->count), history->key_count,
               plural(history->key_count));
        if (!options->quiet) {
            print_keys(history, keys);
            print_sessions(&sum);
        }
    }
    free(keys);
    history_free(history);
    return sum.verdict == LINEARIZABLE_YES  ? EXIT_DONE
           : sum.verdict == LINEARIZABLE_NO ? EXIT_EXPECTATION
                                            : EXIT_INCOMPLETE;
}

int command_check(const struct command *command, const struct options *options)
{
    int worst = EXIT_DONE;
    if (options->cas_fail && strcmp(options->cas_fail, "mismatch") &&
        strcmp(options->cas_fail, "drop")) {
        complain("%s: --cas-fail takes mismatch or drop, not `%s`", command->name,
                 options->cas_fail);
        return EXIT_USAGE;
    }
    for (uint32_t i = 0; i < options->operand_count; i++) {
        int code = check(options->operands[i], options);
        bool bad = code == EXIT_USAGE || code == EXIT_MACHINE;
        bool was_bad = worst == EXIT_USAGE || worst == EXIT_MACHINE;
        if (worst == EXIT_DONE || (bad && !was_bad) || (!was_bad && code == EXIT_EXPECTATION))
            worst = code;
    }
    return answer_end(worst);
}
