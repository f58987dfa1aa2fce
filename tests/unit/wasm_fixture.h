/* Building core modules byte by byte, and reading them. */
#ifndef CARREL_TESTS_WASM_FIXTURE_H
#define CARREL_TESTS_WASM_FIXTURE_H

#include "tests/unit/unit.h"

#include "engine/wasm/limits.h"
#include "engine/wasm/module.h"
#include "engine/wasm/op.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* --- A module in the making ---------------------------------------------------------------------
 */

struct build {
    uint8_t *at;
    size_t len;
    size_t room;
};

static inline void put(struct build *b, uint8_t byte)
{
    if (b->len == b->room) {
        b->room = b->room ? b->room * 2 : 256;
        uint8_t *larger = realloc(b->at, b->room);
        assert_non_null(larger);
        b->at = larger;
    }
    b->at[b->len++] = byte;
}

static inline void put_u32(struct build *b, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(b, (uint8_t)(value | 0x80));
    put(b, (uint8_t)value);
}

static inline void put_bytes(struct build *b, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(b, ((const uint8_t *)bytes)[i]);
}

static inline void put_name(struct build *b, const char *name)
{
    put_u32(b, (uint32_t)strlen(name));
    put_bytes(b, name, strlen(name));
}

#define PUT(b, ...)                                                                                \
    put_bytes(b, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* A length that is not known yet, as a LEB128 number of five bytes. */
static inline size_t begin_part(struct build *b)
{
    PUT(b, 0, 0, 0, 0, 0);
    return b->len;
}

static inline void end_part(struct build *b, size_t start)
{
    size_t len = b->len - start;
    for (unsigned i = 0; i < 5; i++)
        b->at[start - 5 + i] = (uint8_t)((len >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
}

static inline size_t begin_section(struct build *b, uint8_t id)
{
    put(b, id);
    return begin_part(b);
}

static inline void begin_module(struct build *b)
{
    *b = (struct build){0};
    PUT(b, 0, 'a', 's', 'm', 1, 0, 0, 0);
}

/* Section ids. */
enum {
    TYPES = 1,
    IMPORTS = 2,
    FUNCTIONS = 3,
    TABLES = 4,
    MEMORIES = 5,
    GLOBALS = 6,
    EXPORTS = 7,
    START = 8,
    ELEMENTS = 9,
    CODE = 10,
    DATA = 11,
    DATA_COUNT = 12,
    TAGS = 13,
};

/* A whole section of these bytes. */
#define SECTION_OF(b, id, ...)                                                                     \
    do {                                                                                           \
        size_t section_start = begin_section(b, id);                                               \
        PUT(b, __VA_ARGS__);                                                                       \
        end_part(b, section_start);                                                                \
    } while (0)

/* --- Reading it ---------------------------------------------------------------------------------
 */

#define STORE_SIZE ((size_t)2 << 30) /* of address space */

struct store {
    struct region image;
    struct region scratch;
    struct types *types;
    struct err err;
};

static inline void *reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

static inline void open_store(struct store *store)
{
    store->image = region_of(reserve(STORE_SIZE), STORE_SIZE);
    store->scratch = region_of(reserve(STORE_SIZE), STORE_SIZE);
    store->types = types_new(&store->image);
    store->err = (struct err){0};
    assert_non_null(store->types);
}

static inline void close_store(struct store *store)
{
    munmap(store->image.base, STORE_SIZE);
    munmap(store->scratch.base, STORE_SIZE);
}

static inline struct module *read_bytes(struct store *store, const uint8_t *at, size_t len)
{
    store->err = (struct err){0};
    struct module *module = module_read((struct bytes){at, len}, at, store->types, &store->image,
                                        &store->scratch, &store->err);
    assert_int_equal(module == NULL, store->err.kind != ERR_NONE);
    assert_ptr_equal(store->scratch.at, store->scratch.base); /* given back */
    return module;
}

static inline struct module *read_build(struct store *store, const struct build *b)
{
    return read_bytes(store, b->at, b->len);
}

/* Reads and forgets: what kind of failure is it? */
static inline enum err_kind verdict_of(const struct build *b)
{
    struct store store;
    open_store(&store);
    read_build(&store, b);
    enum err_kind kind = store.err.kind;
    close_store(&store);
    return kind;
}

/* A module of one function () -> () with this code, `end` not included; with it types
 *   0 () -> ()   1 (i32) -> ()   2 struct {mut i32, mut i8}   3 array (mut i32)   4 array (mut
 * funcref) two tables of funcref, two memories, a mutable global of i32, a tag of type 1, an
 * element and a data segment, both passive. */
static inline void begin_function(struct build *b, size_t part[2])
{
    begin_module(b);
    SECTION_OF(b, TYPES, 5, 0x60, 0, 0, 0x60, 1, 0x7f, 0, 0x5f, 2, 0x7f, 1, 0x78, 1, 0x5e, 0x7f, 1,
               0x5e, 0x70, 1);
    SECTION_OF(b, FUNCTIONS, 1, 0);
    SECTION_OF(b, TABLES, 2, 0x70, 0, 1, 0x70, 0, 1);
    SECTION_OF(b, MEMORIES, 2, 0, 1, 0, 1);
    SECTION_OF(b, TAGS, 1, 0, 1);
    SECTION_OF(b, GLOBALS, 1, 0x7f, 1, 0x41, 0, 0x0b);
    SECTION_OF(b, ELEMENTS, 1, 1, 0, 1, 0);
    SECTION_OF(b, DATA_COUNT, 1);
    part[0] = begin_section(b, CODE);
    put(b, 1);
    part[1] = begin_part(b);
}

static inline void end_function(struct build *b, const size_t part[2])
{
    put(b, 0x0b);
    end_part(b, part[1]);
    end_part(b, part[0]);
    SECTION_OF(b, DATA, 1, 1, 0);
}

#endif
