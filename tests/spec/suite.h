/* Finding the scripts of a suite, and the levels that its manifest gives them. */
#ifndef CARREL_SPEC_SUITE_H
#define CARREL_SPEC_SUITE_H

#include <stdbool.h>
#include <stddef.h>

/* Paths of files, sorted. */
struct suite {
    char **paths;
    size_t count;
};

/* Adds a file, or all the .json files of a folder and the folders in it. False: it is not there. */
bool suite_add(struct suite *suite, const char *path);
void suite_sort(struct suite *suite);
void suite_free(struct suite *suite);

/* The level of a script ("1.0", "proposal"), from the manifest.json beside it or in a folder above;
 * NULL if none names it. */
const char *suite_level(const char *path);

#endif
