/* Runs a core module that needs nothing but WASI preview 1, and writes how often each instruction
 * of register code was carried out; pairs.mjs chooses the rows of fuse.def from that. Not in a
 * cell: for programs that one trusts.
 *
 *   count MODULE OUT [weigh]     weigh: do not run; translate everything, and guess from loops
 *
 * OUT has a line `func` for each function, and one for each of its instructions: position in words,
 * operator, executions, how often the next was not the one behind it, and the distance in words
 * that a branch has. */
#include "engine/wasm/xop.h"
#include "tests/bench/program.h"

#include <stdio.h>
#include <string.h>

static const char *const names[XOP_COUNT] = {
#define XOP(name) #name,
#include "engine/wasm/xop.def"
};

/* Counters by word of the image. */
struct counter {
    uint64_t runs;
    uint64_t leaves;
};
static struct counter *counters;
static const code_word *image_start;
static const code_word *last;

static struct counter *counter_of(const code_word *pc)
{
    size_t at = (size_t)(pc - image_start);
    return pc >= image_start && at < PROGRAM_IMAGE / sizeof *pc ? &counters[at] : NULL;
}

void interp_count(const code_word *pc)
{
    /* No instruction but br_table, which always leaves, is longer than five words. */
    if (last && (pc <= last || pc - last > 5) && counter_of(last))
        counter_of(last)->leaves++;
    if (counter_of(pc))
        counter_of(pc)->runs++;
    last = pc;
}

/* The operator of the handler word at `at`, or XOP_COUNT if it is an operand. */
static enum xop operator_at(const code_word *at)
{
    for (unsigned i = 0; i < XOP_COUNT; i++)
        if (interp_word((enum xop)i) == *at)
            return (enum xop)i;
    return XOP_COUNT;
}

/* In words; 0 of what is no branch, or one to many places. */
static int32_t distance_of(const char *name, const code_word *at)
{
    uint32_t fields[2];
    memcpy(fields, at + 1, sizeof fields);
    if (strncmp(name, "BR", 2) != 0 || strncmp(name, "BR_TABLE", 8) == 0)
        return 0;
    return (int32_t)(branch_target(at, strcmp(name, "BR") == 0 ? fields[0] : fields[1]) - at);
}

/* A guess where nothing ran: every loop around an instruction makes it run eight times as often. */
static void weigh(const struct code_range *range)
{
    for (const code_word *at = range->start; at < range->end; at++)
        counter_of(at)->runs = 1;
    for (const code_word *at = range->start; at < range->end; at++) {
        enum xop xop = operator_at(at);
        int32_t distance = xop == XOP_COUNT ? 0 : distance_of(names[xop], at);
        if (distance >= 0 || at + distance < range->start)
            continue;
        for (const code_word *in = at + distance; in <= at; in++)
            if (counter_of(in)->runs < 4096)
                counter_of(in)->runs *= 8;
    }
}

static void write_counts(const struct code *code, const char *path, bool guess)
{
    FILE *out = fopen(path, "w");
    if (!out)
        give_up(path, "cannot be written");
    for (uint32_t i = 0; i < code->nranges; i++) {
        const struct code_range *range = &code->ranges[i];
        if (guess)
            weigh(range);
        fprintf(out, "func\n");
        for (const code_word *at = range->start; at < range->end; at++) {
            enum xop xop = operator_at(at);
            if (xop == XOP_COUNT)
                continue;
            const struct counter *counter = counter_of(at);
            fprintf(out, "%td %s %lu %lu %d\n", at - range->start, names[xop], counter->runs,
                    counter->leaves, distance_of(names[xop], at));
        }
    }
    if (fclose(out))
        give_up(path, "cannot be written");
}

int main(int count, char **arguments)
{
    static struct program program;
    bool guess = count == 4 && strcmp(arguments[3], "weigh") == 0;
    if (count < 3)
        give_up("usage", "count MODULE OUT [weigh]");
    program_load(arguments[1], 0, &program);
    image_start = program.image_at;
    counters = reserve(PROGRAM_IMAGE / sizeof *image_start * sizeof *counters);
    program.vm->translation.single = true;
    if (guess)
        program_translate(&program);
    else if (program_run(&program))
        give_up(arguments[1], "did not end well");
    write_counts(*program.module->code, arguments[2], guess);
    return 0;
}
