/* Finds the component in an image; see image.h. No JSON is read: what is WebAssembly, an archive or
 * compressed is known by its first bytes, whatever an index says. Archives nest once: layers in an
 * image. Every number is checked against what is left of the file, and each step goes forward. */
#include "engine/cell/image.h"

#include <inttypes.h>

enum { BLOCK = 512, MAGIC_AT = 257, SIZE_AT = 124, SIZE_DIGITS = 12, KIND_AT = 156 };
enum { NAME_SIZE = 100, PREFIX_AT = 345, PREFIX_SIZE = 155 };

bool image_is(struct bytes file)
{
    return file.len >= BLOCK && memcmp(file.at + MAGIC_AT, "ustar", 5) == 0;
}

static bool is_wasm(struct bytes bytes)
{
    return bytes.len >= 8 && memcmp(bytes.at, "\0asm", 4) == 0;
}

/* The size in an entry's head: octal digits, or eight bytes after a byte 0x80. */
static bool entry_size(const uint8_t *head, uint64_t *ret)
{
    uint64_t size = 0;
    const uint8_t *at = head + SIZE_AT;
    if (at[0] == 0x80) {
        for (int i = 4; i < SIZE_DIGITS; i++)
            size = size << 8 | at[i];
        *ret = size;
        return true;
    }
    for (int i = 0; i < SIZE_DIGITS && at[i] != '\0' && at[i] != ' '; i++) {
        if (at[i] < '0' || at[i] > '7')
            return false;
        size = size << 3 | (uint64_t)(at[i] - '0');
    }
    *ret = size;
    return true;
}

struct search {
    struct bytes found;
    bool more; /* another one that is not the same */
    struct unpack_room *room;
};

static void take(struct search *search, struct bytes bytes)
{
    bool same = search->found.len == bytes.len && search->found.at &&
                memcmp(search->found.at, bytes.at, bytes.len) == 0;
    if (!search->found.at)
        search->found = bytes;
    else if (!same)
        search->more = true;
}

static int look(struct bytes archive, bool layers, struct search *search, struct err *err);

/* One file of an archive, or of what was compressed. */
static int look_at(struct bytes content, bool layers, struct search *search, struct err *err)
{
    if (layers && unpack_is(content) && unpack(content, search->room, &content, err))
        return -1;
    if (is_wasm(content))
        take(search, content);
    return layers && image_is(content) ? look(content, false, search, err) : 0;
}

static struct str field(const uint8_t *at, size_t size)
{
    return (struct str){(const char *)at, strnlen((const char *)at, size)};
}

int image_next(struct bytes archive, size_t *at, struct image_entry *ret, struct err *err)
{
    if (archive.len - *at < BLOCK || archive.at[*at] == '\0')
        return 0;
    const uint8_t *head = archive.at + *at;
    uint64_t size;
    if (memcmp(head + MAGIC_AT, "ustar", 5) != 0 || !entry_size(head, &size))
        return err_set(err, ERR_MALFORMED, *at, "no entry of a tar archive");
    *at += BLOCK;
    if (size > archive.len - *at)
        return err_set(err, ERR_MALFORMED, *at, "the archive ends within a file");
    *ret = (struct image_entry){
        .content = {archive.at + *at, (size_t)size},
        .name = field(head, NAME_SIZE),
        .prefix = field(head + PREFIX_AT, PREFIX_SIZE),
        .regular = head[KIND_AT] == '0' || head[KIND_AT] == '\0',
    };
    uint64_t whole = (size + BLOCK - 1) / BLOCK * BLOCK;
    *at = whole < archive.len - *at ? *at + (size_t)whole : archive.len;
    return 1;
}

/* One archive; `layers`: what in it is an archive, perhaps compressed, is looked through as well.
 */
static int look(struct bytes archive, bool layers, struct search *search, struct err *err)
{
    struct image_entry entry;
    size_t at = 0;
    int found;
    while ((found = image_next(archive, &at, &entry, err)) > 0)
        if (entry.regular && look_at(entry.content, layers, search, err))
            return -1;
    return found;
}

int image_component(struct bytes file, struct unpack_room *room, struct bytes *ret, struct err *err)
{
    struct search search = {.room = room};
    if (unpack_is(file) && unpack(file, room, &file, err))
        return -1;
    if (is_wasm(file))
        take(&search, file);
    else if (!image_is(file))
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "compressed, and neither a component nor an archive");
    else if (look(file, /*layers=*/true, &search, err))
        return -1;
    if (search.more)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "an image with more than one component: audit the files themselves");
    if (!search.found.at)
        return err_set(err, ERR_UNLINKABLE, ERR_NOWHERE, "an archive without a component in it");
    *ret = search.found;
    return 0;
}
