/* tls: TLS 1.3 for a server. */
#ifndef FRONTENDS_REST_TLS_H
#define FRONTENDS_REST_TLS_H

#include <openssl/ssl.h>

struct ate_error;

/* NULL: the error says which file is wrong. Freed by SSL_CTX_free(). */
SSL_CTX *tls_open(const char *cert, const char *key, struct ate_error *error);
#endif
