/* cmocka with what it needs before it. Every unit test includes this. */
#ifndef CARREL_TESTS_UNIT_H
#define CARREL_TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* The analyzer does not know that an assertion that fails ends the test. */
#ifdef __clang_analyzer__
#include <stdlib.h>
#undef assert_true
#undef assert_non_null
#undef fail_msg
#undef skip
#define assert_true(claim)       ((claim) ? (void)0 : abort())
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define fail_msg(...)            (print_error(__VA_ARGS__), abort())
#define skip()                   abort()
#endif

#endif
