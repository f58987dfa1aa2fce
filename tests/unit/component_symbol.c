/* The trie, symbols, and lists of them. */
#include "tests/unit/unit.h"

#include "engine/component/symbol.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SIZE ((size_t)1 << 28)

static struct region open_region(size_t size)
{
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return region_of(at, size);
}

static struct bytes key_of(const char *text, size_t len)
{
    return (struct bytes){(const uint8_t *)text, len};
}

static void a_trie_keeps_keys_apart(void **state)
{
    (void)state;
    struct region region = open_region(SIZE);
    struct trie trie = {0};
    /* One is a prefix of another, and zeros count. */
    static const char text[] = "a\0\0b";
    static const struct {
        size_t at, len;
    } keys[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 1}, {1, 2}, {3, 1}};
    for (size_t i = 0; i < countof(keys); i++) {
        struct bytes key = key_of(text + keys[i].at, keys[i].len);
        struct trie_entry *entry = trie_at(&trie, &region, key, true);
        assert_non_null(entry);
        assert_null(entry->value);
        entry->value = &region.base[i];
        assert_ptr_equal(trie_at(&trie, &region, key, true), entry);
    }
    for (size_t i = 0; i < countof(keys); i++)
        assert_ptr_equal(
            trie_at(&trie, &region, key_of(text + keys[i].at, keys[i].len), false)->value,
            &region.base[i]);
    munmap(region.base, SIZE);
}

static void a_trie_of_many_keys(void **state)
{
    (void)state;
    struct region region = open_region(SIZE);
    struct trie trie = {0};
    char text[40];
    for (unsigned i = 0; i < 100000; i++) {
        int len = snprintf(text, sizeof text, "%s%x", i % 3 ? "key-" : "", i * 2654435761u);
        struct trie_entry *entry = trie_at(&trie, &region, key_of(text, (size_t)len), true);
        assert_null(entry->value);
        entry->value = &region.base[i];
    }
    for (unsigned i = 0; i < 100000; i++) {
        int len = snprintf(text, sizeof text, "%s%x", i % 3 ? "key-" : "", i * 2654435761u);
        assert_ptr_equal(trie_at(&trie, &region, key_of(text, (size_t)len), true)->value,
                         &region.base[i]);
        text[len] = '!';
        assert_null(trie_at(&trie, &region, key_of(text, (size_t)len + 1), true)->value);
    }
    munmap(region.base, SIZE);
}

static void a_full_region_is_told(void **state)
{
    (void)state;
    struct region region = open_region(1000);
    struct symbols symbols = {.region = &region};
    char text[8];
    unsigned made = 0;
    while (made < 1000) {
        snprintf(text, sizeof text, "%u", made);
        if (!symbol_of(&symbols, str_of(text), true))
            break;
        made++;
    }
    assert_in_range(made, 1, 100);
    assert_non_null(symbol_of(&symbols, str_of("0"), true)); /* which is there already */
    munmap(region.base, SIZE);
}

static bool same_folded(struct symbols *symbols, const char *a, const char *b)
{
    struct symbol *first = symbol_of(symbols, str_of(a), true);
    struct symbol *second = symbol_of(symbols, str_of(b), true);
    return symbol_folded(symbols, first) == symbol_folded(symbols, second);
}

/* Explainer.md "Name Uniqueness". */
static void strongly_unique_names(void **state)
{
    (void)state;
    struct region region = open_region(SIZE);
    struct symbols symbols = {.region = &region};
    assert_ptr_equal(symbol_of(&symbols, str_of("a-b"), true),
                     symbol_of(&symbols, str_of("a-b"), false));
    assert_true(same_folded(&symbols, "a-b", "A-B"));
    assert_false(same_folded(&symbols, "a", "[constructor]a"));
    assert_true(same_folded(&symbols, "[method]a.b", "[static]a.b"));
    assert_true(same_folded(&symbols, "[method]a.b", "[method]A.B"));
    assert_true(same_folded(&symbols, "a", "[method]a.a"));
    assert_false(same_folded(&symbols, "a", "[method]a.b"));
    assert_false(same_folded(&symbols, "a", "b"));
    munmap(region.base, SIZE);
}

static void places_are_sorted_and_found(void **state)
{
    (void)state;
    static struct symbol_place places[5000];
    uint64_t seed = 12345;
    for (uint32_t i = 0; i < countof(places); i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1;
        places[i] = (struct symbol_place){seed >> 40 & 0xffe, i}; /* even keys, many twice */
    }
    symbol_sort(places, countof(places));
    for (uint32_t i = 1; i < countof(places); i++)
        assert_true(places[i - 1].key < places[i].key ||
                    (places[i - 1].key == places[i].key && places[i - 1].index < places[i].index));
    for (uint32_t i = 0; i < countof(places); i++) {
        uint32_t first = i;
        while (first && places[first - 1].key == places[i].key)
            first--;
        assert_int_equal(symbol_search(places, countof(places), places[i].key),
                         places[first].index);
        assert_int_equal(symbol_search(places, countof(places), places[i].key + 1), SYMBOL_ABSENT);
    }
    assert_int_equal(symbol_search(places, 0, 0), SYMBOL_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trie_keeps_keys_apart),     cmocka_unit_test(a_trie_of_many_keys),
        cmocka_unit_test(a_full_region_is_told),       cmocka_unit_test(strongly_unique_names),
        cmocka_unit_test(places_are_sorted_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
