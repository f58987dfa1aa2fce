/* How an attacker tells what it got: its exit code. */
#ifndef CARREL_TESTS_ESCAPE_VERDICT_H
#define CARREL_TESTS_ESCAPE_VERDICT_H

enum { ESCAPE_LOST = 71, ESCAPE_WON = 72 };

#endif
