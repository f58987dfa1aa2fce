/* Messages of the domain name system (RFC 1035), as far as looking up addresses takes: questions
 * for A and AAAA, and what of an answer may be believed. An answer is hostile: every length and
 * every pointer is checked, names are followed a bounded number of steps. No system call. */
#ifndef CARREL_WASI_DNS_H
#define CARREL_WASI_DNS_H

#include "engine/base/bytes.h"
#include "engine/wasi/address.h"

#define DNS_QUESTION_MAX  320
#define DNS_ADDRESSES_MAX 32
#define DNS_SIZE          4096 /* of an answer, as the question says that it may be (RFC 6891) */

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

enum dns_result {
    DNS_FOUND,     /* there are addresses, or there are none of this type */
    DNS_NOT_THERE, /* there is no such name */
    DNS_FAILED,    /* the server says that it cannot say */
    DNS_REFUSED,   /* the server does not want to say */
    DNS_CUT,       /* it did not fit */
    DNS_FOREIGN,   /* it is no answer to this question: to be ignored */
};

struct dns_addresses {
    size_t count;
    struct wasi_address at[DNS_ADDRESSES_MAX]; /* without ports */
};

/* Writes the question; its size, or 0 if the name is none. */
size_t dns_question(struct str name, enum dns_type type, uint16_t id,
                    uint8_t ret[DNS_QUESTION_MAX]);

/* Reads the answer to `question` and adds the addresses in it. */
enum dns_result dns_answer(struct bytes question, struct bytes answer, struct dns_addresses *to);

#endif
