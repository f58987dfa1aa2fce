/* The host module "spectest" that core scripts import from. */
#ifndef CARREL_SPEC_CORE_SPECTEST_H
#define CARREL_SPEC_CORE_SPECTEST_H

#include "engine/exec/vm.h"

#define SPECTEST_ITEMS 20

struct spectest {
    struct {
        const char *name;
        struct core_extern item;
    } items[SPECTEST_ITEMS];
    size_t count;
};

/* Makes all of it in a store. False: no room. */
bool spectest_make(struct spectest *spectest, struct vm *vm);

/* False: there is nothing of that name. */
bool spectest_find(const struct spectest *spectest, struct str name, struct core_extern *ret_item);

#endif
