/* Stores in SQLite; see store.h. The journal is a write-ahead log that is synchronised at every
 * commit, so that neither a crash of the keeper nor one of the machine loses what was acknowledged.
 */
#include "shim/keeper/store.h"

#include <string.h>

#define APPLICATION   "1667330162" /* "carr": whose file it is */
#define PAGES_MAX     "262144"     /* of 4 KiB: 1 GiB */
#define BUSY_PATIENCE 5000         /* milliseconds, while another cell writes to the same store */

static int wrong(const char *path, const char *why, struct err *err)
{
    return err_set(err, ERR_ABSENT, ERR_NOWHERE, "cannot keep a store in %s: %s: name another file",
                   path, why);
}

/* The first number that a statement gives; -1 if it fails. */
static sqlite3_int64 number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3_int64 number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* A file that another program made is not written to. */
static int check_owner(struct store *store, const char *path, struct err *err)
{
    sqlite3_int64 application = number_of(store->db, "PRAGMA application_id");
    sqlite3_int64 tables = number_of(store->db, "SELECT count(*) FROM sqlite_schema");
    if (application < 0 || tables < 0)
        return wrong(path, sqlite3_errmsg(store->db), err);
    if (application == 0 && tables == 0)
        return 0;
    return application == number_of(store->db, "SELECT " APPLICATION)
               ? 0
               : wrong(path, "it is a database of another program: name a file of its own", err);
}

static int prepare(struct store *store)
{
    static const char begin[] = "PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL;"
                                "PRAGMA temp_store = MEMORY;"
                                "PRAGMA max_page_count = " PAGES_MAX ";"
                                "PRAGMA application_id = " APPLICATION ";"
                                "CREATE TABLE IF NOT EXISTS pairs (id INTEGER PRIMARY KEY,"
                                " key BLOB NOT NULL UNIQUE, value BLOB NOT NULL)";
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } statements[] = {
        {&store->get, "SELECT value FROM pairs WHERE key = ?1"},
        {&store->set, "INSERT INTO pairs (key, value) VALUES (?1, ?2)"
                      " ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
        {&store->delete, "DELETE FROM pairs WHERE key = ?1"},
        {&store->list, "SELECT id, key FROM pairs WHERE id > ?1 ORDER BY id"},
    };
    int code = sqlite3_exec(store->db, begin, NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof statements / sizeof *statements; i++)
        code = sqlite3_prepare_v3(store->db, statements[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  statements[i].statement, NULL);
    return code;
}

int store_open(const char *path, struct store *ret, struct err *err)
{
    *ret = (struct store){.db = NULL};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW;
    if (sqlite3_open_v2(path, &ret->db, flags, NULL) != SQLITE_OK)
        return wrong(path, ret->db ? sqlite3_errmsg(ret->db) : "no memory", err);
    sqlite3_busy_timeout(ret->db, BUSY_PATIENCE);
    sqlite3_db_config(ret->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(ret->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (check_owner(ret, path, err))
        return -1;
    return prepare(ret) == SQLITE_OK ? 0 : wrong(path, sqlite3_errmsg(ret->db), err);
}

void store_close(struct store *store)
{
    sqlite3_finalize(store->get);
    sqlite3_finalize(store->set);
    sqlite3_finalize(store->delete);
    sqlite3_finalize(store->list);
    sqlite3_close(store->db);
}

const char *store_text(const struct store *store, int code)
{
    (void)store;
    switch (code & 0xff) {
    case SQLITE_FULL: return "the store is full";
    case SQLITE_BUSY: return "others have kept the store busy for too long";
    case SQLITE_READONLY: return "the store cannot be written to";
    default: return sqlite3_errstr(code);
    }
}

static int bind(sqlite3_stmt *statement, int at, struct bytes bytes)
{
    /* No bytes are an empty blob, not NULL. */
    return sqlite3_bind_blob64(statement, at, bytes.len ? (const void *)bytes.at : "", bytes.len,
                               SQLITE_STATIC);
}

/* Steps once; what a row holds stays until the statement is used again. */
static int step(sqlite3_stmt *statement, bool *ret_row)
{
    int code = sqlite3_step(statement);
    *ret_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* For a statement that changes something: it is over, and committed, when this returns. */
static int carry_out(sqlite3_stmt *statement)
{
    bool row;
    int code = step(statement, &row), end = sqlite3_reset(statement);
    return code != SQLITE_OK ? code : end;
}

int store_get(struct store *store, struct bytes key, bool *ret_found, struct bytes *ret)
{
    sqlite3_reset(store->get);
    int code = bind(store->get, 1, key);
    if (code == SQLITE_OK)
        code = step(store->get, ret_found);
    if (code == SQLITE_OK && *ret_found) {
        ret->at = sqlite3_column_blob(store->get, 0);
        ret->len = (size_t)sqlite3_column_bytes(store->get, 0);
    }
    return code;
}

int store_set(struct store *store, struct bytes key, struct bytes value)
{
    sqlite3_reset(store->get); /* ends its read transaction */
    int code = bind(store->set, 1, key);
    if (code == SQLITE_OK)
        code = bind(store->set, 2, value);
    return code == SQLITE_OK ? carry_out(store->set) : code;
}

int store_delete(struct store *store, struct bytes key)
{
    sqlite3_reset(store->get);
    int code = bind(store->delete, 1, key);
    return code == SQLITE_OK ? carry_out(store->delete) : code;
}

int store_list(struct store *store, uint64_t *cursor, uint8_t *to, size_t room, size_t *ret_size)
{
    bool row = true;
    size_t used = 0;
    /* Numbers of rows are positive; what a cell made up is none of them. */
    sqlite3_int64 after = *cursor > INT64_MAX ? INT64_MAX : (sqlite3_int64)*cursor;
    int code = sqlite3_bind_int64(store->list, 1, after);
    *cursor = 0;
    while (code == SQLITE_OK && (code = step(store->list, &row)) == SQLITE_OK && row) {
        const void *key = sqlite3_column_blob(store->list, 1);
        uint32_t size = (uint32_t)sqlite3_column_bytes(store->list, 1);
        if (room < sizeof size + size)
            continue; /* no key that was set here is so long */
        if (room - used < sizeof size + size) {
            *cursor = (uint64_t)after;
            break;
        }
        memcpy(to + used, &size, sizeof size);
        if (size)
            memcpy(to + used + sizeof size, key, size);
        used += sizeof size + size;
        after = sqlite3_column_int64(store->list, 0);
    }
    sqlite3_reset(store->list);
    *ret_size = used;
    return code;
}
