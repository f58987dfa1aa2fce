/* Settings of TLS; see trust.h. */
#include "engine/tls/trust.h"

#include "engine/base/bytes.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

/* Of a file of certificates. The whole web's are 220 KB. */
#define TRUST_MAX ((size_t)16 << 20)

/* The whole file; NULL if it cannot be read or is too large. */
static char *read_all(int file, size_t *ret_size)
{
    size_t size = 0, room = (size_t)1 << 18;
    char *text = malloc(room);
    while (text) {
        ssize_t got = read(file, text + size, room - size);
        if (got == 0) {
            *ret_size = size;
            return text;
        }
        if (got > 0)
            size += (size_t)got;
        if (got < 0 || room > TRUST_MAX)
            break;
        if (size == room) {
            room *= 2;
            char *more = realloc(text, room);
            if (!more)
                break;
            text = more;
        }
    }
    free(text);
    return NULL;
}

/* Adds every certificate in the text; how many there were. */
static size_t add_all(X509_STORE *store, const char *text, size_t size)
{
    size_t count = 0;
    BIO *bio = BIO_new_mem_buf(text, (int)size);
    X509 *one;
    while (bio && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        count += X509_STORE_add_cert(store, one) == 1;
        X509_free(one);
    }
    BIO_free(bio);
    ERR_clear_error();
    return count;
}

static int no_tls(struct err *err)
{
    return err_set(err, ERR_FAULT, ERR_NOWHERE,
                   "no TLS: %s: this is a mistake in carrel: please report it",
                   ERR_reason_error_string(ERR_peek_error()));
}

/* Of clients and servers. */
static int set_both(SSL_CTX *context, struct err *err)
{
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION))
        return no_tls(err);
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return 0;
}

static int set_up(SSL_CTX *context, int file, struct err *err)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    size_t size = 0;
    if (set_both(context, err))
        return -1;
    if (SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1))
        return no_tls(err);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    char *text = read_all(file, &size);
    if (!text)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "the trusted certificates cannot be read, or are more than 16 MiB: name "
                       "another file in SSL_CERT_FILE");
    size_t count = add_all(SSL_CTX_get_cert_store(context), text, size);
    free(text);
    if (!count)
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "no certificate is in the file of those that are trusted: install "
                       "ca-certificates, or name another file in SSL_CERT_FILE");
    return 0;
}

SSL_CTX *trust_client(int file, struct err *err)
{
    SSL_CTX *context = NULL;
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
        context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        no_tls(err);
        return NULL;
    }
    if (set_up(context, file, err)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

/* --- Servers ------------------------------------------------------------------------------------
 */

void trust_without_h2(SSL *ssl, bool without)
{
    SSL_set_app_data(ssl, without ? ssl : NULL);
}

/* RFC 7301: of what the client offers, what this server likes best. Who offers nothing speaks
 * HTTP/1.1. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned len, void *data)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    size_t h2 = SSL_get_app_data(ssl) ? sizeof "\x02h2" - 1 : 0; /* without it */
    (void)data;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_len, protocols + h2,
                                 (unsigned)(sizeof protocols - 1 - h2), offered,
                                 len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Nobody is there who could be asked. */
static int no_passphrase(char *to, int size, int writes, void *data)
{
    (void)to, (void)size, (void)writes, (void)data;
    return -1;
}

static int use_certificates(SSL_CTX *context, int file, struct err *err)
{
    size_t size = 0, count = 0;
    char *text = read_all(file, &size);
    BIO *bio = text ? BIO_new_mem_buf(text, (int)size) : NULL;
    X509 *one;
    bool good = true;
    while (bio && (one = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        good = good && (count++ ? SSL_CTX_add1_chain_cert(context, one)
                                : SSL_CTX_use_certificate(context, one)) == 1;
        X509_free(one);
    }
    BIO_free(bio);
    free(text);
    if (!good)
        return no_tls(err);
    ERR_clear_error();
    return count ? 0
                 : err_set(err, ERR_ABSENT, ERR_NOWHERE,
                           "the file of --tls-cert has no certificate: it is to be in PEM");
}

static int use_key(SSL_CTX *context, int file, struct err *err)
{
    size_t size = 0;
    char *text = read_all(file, &size);
    BIO *bio = text ? BIO_new_mem_buf(text, (int)size) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool good =
        key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    bool there = key != NULL;
    EVP_PKEY_free(key);
    BIO_free(bio);
    if (text)
        OPENSSL_cleanse(text, size);
    free(text);
    ERR_clear_error();
    if (good)
        return 0;
    return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                   there
                       ? "the key of --tls-key is not that of the certificate of --tls-cert"
                       : "the file of --tls-key has no private key: it is to be in PEM, without a "
                         "passphrase");
}

SSL_CTX *trust_server(int certificate, int key, struct err *err)
{
    SSL_CTX *context = NULL;
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
        context = SSL_CTX_new(TLS_server_method());
    if (!context) {
        no_tls(err);
        return NULL;
    }
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (set_both(context, err) || use_certificates(context, certificate, err) ||
        use_key(context, key, err)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
