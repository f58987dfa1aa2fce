/* engine/wasi/idna: the ASCII form of names, and what has none. */
#include "tests/unit/unit.h"

#include "engine/base/attr.h"
#include "engine/wasi/idna.h"

#include <string.h>

static const char *ascii(const char *name)
{
    static char to[254];
    long len = idna_to_ascii(str_of(name), to, sizeof to - 1);
    if (len < 0)
        return "none";
    to[len] = '\0';
    return to;
}

static void names(void **state)
{
    static const struct {
        const char *name, *ascii;
    } known[] = {
        {"m\u00fcnchen.de", "xn--mnchen-3ya.de"},
        {"M\u00dcNCHEN.de", "xn--mnchen-3ya.de"},
        {"b\u00fccher.example", "xn--bcher-kva.example"},
        {"stra\u00dfe.de", "xn--strae-oqa.de"},
        {"\u4f8b\u3048.\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
        {"\u4f8b\u3048\u3002\u30c6\u30b9\u30c8", "xn--r8jz45g.xn--zckzah"},
        {"\u043f\u0440\u0438\u043c\u0435\u0440."
         "\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435",
         "xn--e1afmkfd.xn--80akhbyknj4f"},
        {"\u03a0\u03b1\u03c1\u03ac\u03b4\u03b5\u03b9\u03b3\u03bc\u03b1", "xn--hxajbheg2az3al"},
        {"\u0141\u00f3d\u017a.pl", "xn--d-uga0v4h.pl"},
        {"\U0001f600.example", "xn--e28h.example"},
        {"plain.example", "plain.example"},
    };
    (void)state;
    for (size_t i = 0; i < countof(known); i++)
        assert_string_equal(ascii(known[i].name), known[i].ascii);
}

/* Marks apart from their letters, what is invisible, and what has no room. */
static void no_names(void **state)
{
    char to[16], label[3 * 64 + 1] = "";
    (void)state;
    assert_string_equal(ascii("mu\u0308nchen.de"), "none");
    assert_string_equal(ascii("a\u200bb.de"), "none");
    assert_string_equal(ascii("a\u00adb.de"), "none");
    assert_int_equal(idna_to_ascii(str_of("m\u00fcnchen.de"), to, sizeof to), -1);
    for (int i = 0; i < 64; i++)
        strcat(label, "\u4f8b");
    assert_string_equal(ascii(label), "none");
    for (size_t room = 0; room < 17; room++)
        assert_int_equal(idna_to_ascii(str_of("m\u00fcnchen.de"), to, room > 16 ? 16 : room), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
