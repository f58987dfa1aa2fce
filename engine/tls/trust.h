/* Who is trusted, and what is spoken: the settings that all connections share. */
#ifndef CARREL_TLS_TRUST_H
#define CARREL_TLS_TRUST_H

#include "engine/base/err.h"
#include <openssl/ssl.h>
#include <stdbool.h>

/* For connections as a client, with the certificates that are read from `file` (PEM, any number;
 * what is none between them is passed over). NULL on failure. */
SSL_CTX *trust_client(int file, struct err *err);

/* For connections as a server, with the certificate that is read from one file (PEM, its own first,
 * then those that lead to a root) and its key from the other (PEM, without a passphrase). HTTP/2
 * and HTTP/1.1 are offered, in this order (ALPN). NULL on failure. */
SSL_CTX *trust_server(int certificate, int key, struct err *err);

/* Whether a server's connection is not offered HTTP/2. */
void trust_without_h2(SSL *ssl, bool without);

#endif
