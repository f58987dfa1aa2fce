/* A store: pairs of a key and a value in one SQLite file. Keys and values are bytes that nothing
 * here looks into; they reach SQLite as bound blobs. What was set is on the disk when the call
 * returns. */
#ifndef CARREL_KEEPER_STORE_H
#define CARREL_KEEPER_STORE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include <sqlite3.h>

struct store {
    sqlite3 *db;
    sqlite3_stmt *get, *set, *delete, *list;
};

/* Opens the file, or makes it, for its owner alone. ABSENT if it cannot be, or holds something
 * else.
 */
int store_open(const char *path, struct store *ret, struct err *err);
void store_close(struct store *store);

/* Each gives 0, or an SQLite result code. store_text tells what a code means. */
const char *store_text(const struct store *store, int code);

/* The value, which is good until the next call; *ret_found: is there one? */
int store_get(struct store *store, struct bytes key, bool *ret_found, struct bytes *ret);
int store_set(struct store *store, struct bytes key, struct bytes value);
int store_delete(struct store *store, struct bytes key);

/* Appends the keys after `cursor` to `to`, each behind its size (32 bits), as many as fit. *cursor
 * is then where to go on, or 0: there are no more. */
int store_list(struct store *store, uint64_t *cursor, uint8_t *to, size_t room, size_t *ret_size);

#endif
