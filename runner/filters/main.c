/* Writes the filters that are asked for most as C, for runner/filters.c: those of cells without
 * files and network, which use some of the rules below besides what every cell keeps. Runs while
 * carrel is built, with the code and the libseccomp that build every other filter when it is asked
 * for. */
#include "engine/base/attr.h"
#include "policies/seccomp.h"
#include <inttypes.h>
#include <stdio.h>

static const rule_set some[] = {R(PPOLL), R(TIME_MONOTONIC), R(TIME_REAL)};

static void print(rule_set set, const struct filter *filter)
{
    printf("{UINT64_C(0x%" PRIx64 "), %zu, {", set, filter->len);
    for (size_t i = 0; i < filter->len; i++)
        printf("{0x%x, %u, %u, 0x%" PRIx32 "},", filter->code[i].code, filter->code[i].jt,
               filter->code[i].jf, filter->code[i].k);
    printf("}},\n");
}

int main(void)
{
    for (unsigned choice = 0; choice < 1u << countof(some); choice++) {
        rule_set set = RULES_BASE;
        struct filter filter;
        struct err err = {0};
        for (size_t i = 0; i < countof(some); i++)
            set |= choice >> i & 1 ? some[i] : 0;
        if (seccomp_filter(set, &filter, &err) || filter.len > FILTER_MADE_MAX) {
            fprintf(stderr, "no filter of %" PRIx64 ": %s\n", set, err.text);
            return 1;
        }
        print(set, &filter);
    }
    return 0;
}
