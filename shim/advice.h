/* What the operator can do about an error of the host. */
#ifndef CARREL_SHIM_ADVICE_H
#define CARREL_SHIM_ADVICE_H

/* ": ..." with what to do where the host is out of something, else "". `error` is an errno. */
const char *advice_on(int error);

/* The same for `call`, which a cell made on its way to its engine's first work. */
const char *advice_on_start(const char *call, int error);

#endif
