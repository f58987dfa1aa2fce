/* What readers answered, kept between runs: the demand of a component by its digest, for one engine
 * and one set of tables. An entry is as little trusted as a reader's answer: it is taken apart by
 * the same code, and what it asks for is still met with what the operator allows.
 *
 * The files lie in a directory that is ours alone: /var/cache/carrel, or the user's own. There are
 * DEMAND_CACHE_ENTRIES at most, each of which a newer one replaces. Whatever is wrong with one, or
 * with the directory, makes it as good as absent. */
#ifndef CARREL_SHIM_DEMAND_CACHE_H
#define CARREL_SHIM_DEMAND_CACHE_H

#include "policies/demand.h"
#include "shim/component.h"

#define DEMAND_CACHE_ENTRIES 1024

/* The demand of the component with this digest, if an entry says so that the engine at `engine` and
 * these tables made. False if there is none. */
bool demand_cache_get(const uint8_t digest[DIGEST_SIZE], const char *engine, struct demand *ret);

/* Keeps a demand. That it could not be kept is nobody's concern. */
void demand_cache_put(const uint8_t digest[DIGEST_SIZE], const char *engine,
                      const struct demand *demand);

#endif
