/* carrel-keyvalue: keeps one store for one cell. The shim starts it with the path of the store as
 * its argument and a socket as descriptor 3, whose other end becomes the cell's; it ends when the
 * cell is gone. First it answers once without having been asked: the store is there, or why not.
 *
 * What comes from the cell is hostile. Of it this reads sizes, which are bounded, and bytes, which
 * it does not look into (shim/protocol.def: store_question, store_answer). */
#include "shim/keeper/store.h"
#include "shim/keeper/walls.h"
#include "shim/protocol.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t key[PROTOCOL_STORE_KEY], value[PROTOCOL_STORE_VALUE], page[PROTOCOL_STORE_PAGE];

/* All of it, or false: nobody is there any more. */
static bool take(void *to, size_t size)
{
    for (uint8_t *at = to; size > 0;) {
        ssize_t got = read(PROTOCOL_SOCKET, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static bool give(const void *from, size_t size)
{
    for (const uint8_t *at = from; size > 0;) {
        ssize_t put = write(PROTOCOL_SOCKET, at, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool answer(uint32_t status, uint64_t cursor, struct bytes bytes)
{
    const struct record_store_answer head = {
        .status = status, .size = (uint32_t)bytes.len, .cursor = cursor};
    return give(&head, sizeof head) && give(bytes.at, bytes.len);
}

static bool answer_text(const char *text)
{
    return answer(PROTOCOL_STORE_FAILED, 0, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* What a question comes to. A value is never longer than the longest that could be set: whoever
 * wrote a longer one to the file did it from elsewhere. */
static bool act(struct store *store, const struct record_store_question *question)
{
    const struct bytes of = {key, question->key_size}, given = {value, question->value_size};
    struct bytes bytes = {0};
    bool found = true;
    uint64_t cursor = question->cursor;
    int code;
    switch (question->kind) {
    case PROTOCOL_STORE_GET:
    case PROTOCOL_STORE_EXISTS: code = store_get(store, of, &found, &bytes); break;
    case PROTOCOL_STORE_SET: code = store_set(store, of, given); break;
    case PROTOCOL_STORE_DELETE: code = store_delete(store, of); break;
    case PROTOCOL_STORE_LIST:
        bytes.at = page;
        code = store_list(store, &cursor, page, sizeof page, &bytes.len);
        break;
    default: return false;
    }
    if (code != SQLITE_OK)
        return answer_text(store_text(store, code));
    if (question->kind == PROTOCOL_STORE_EXISTS)
        bytes.len = 0;
    if (bytes.len > PROTOCOL_STORE_VALUE)
        return answer_text("the value is longer than a component can be given");
    return answer(found ? PROTOCOL_STORE_DONE : PROTOCOL_STORE_NOTHING, cursor, bytes);
}

static void serve(struct store *store)
{
    struct record_store_question question;
    while (take(&question, sizeof question)) {
        if (question.key_size > sizeof key || question.value_size > sizeof value ||
            !take(key, question.key_size) || !take(value, question.value_size) ||
            !act(store, &question))
            return;
    }
}

static int open_all(const char *path, struct store *store, struct err *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + 2 > sizeof folder)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "a store has an absolute path: write one that begins with /");
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    umask(077);
    /* Its random numbers begin before the walls hide where they come from. */
    uint8_t first;
    sqlite3_initialize();
    sqlite3_randomness(sizeof first, &first);
    return walls_around(folder, err) || store_open(path, store, err) || walls_close(err) ? -1 : 0;
}

int main(int argc, char **argv)
{
    static struct store store;
    struct err err = {0};
    if (argc != 2)
        return 2;
    if (open_all(argv[1], &store, &err)) {
        answer_text(err.text);
        return 1;
    }
    if (answer(PROTOCOL_STORE_DONE, 0, (struct bytes){0}))
        serve(&store);
    store_close(&store);
    return 0;
}
