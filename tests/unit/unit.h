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

#endif
