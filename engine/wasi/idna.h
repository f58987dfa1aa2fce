/* Names of the Internet that are not ASCII (RFC 5891, RFC 3492; wasi:sockets/ip-name-lookup). */
#ifndef CARREL_WASI_IDNA_H
#define CARREL_WASI_IDNA_H

#include "engine/base/bytes.h"

/* Writes the ASCII form of `name`, which is UTF-8, to `to`, which has room for `size` bytes, and
 * returns its length. -1: there is none, or no room for it. Whether the outcome is a name is for
 * the caller to say.
 *
 * Letters of the Latin, Greek, Cyrillic and Armenian scripts become small ones, and the full stops
 * of East Asia dots. There are no tables of compositions here: a mark that would have to be
 * composed with the letter before it is no part of a name. */
long idna_to_ascii(struct str name, char *to, size_t size);

#endif
