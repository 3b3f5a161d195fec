#include "rest/tls.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>

#include "ate.h"

static void fail(struct ate_error *error, const char *what, const char *path)
{
    unsigned long code = ERR_peek_error();
    const char *why = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                             : ERR_reason_error_string(code);
    ERR_clear_error();
    *error = (struct ate_error){.code = ATE_INVALID};
    snprintf(error->text, sizeof(error->text), "%s %s: %s", what, path,
             why != NULL ? why : "OpenSSL does not take it");
}

SSL_CTX *tls_open(const char *cert, const char *key, struct ate_error *error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    const char *path = key != NULL ? key : cert;
    const char *what = "TLS";
    bool good =
        ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1;
    /* No tickets: nothing of a session outlives it. */
    if (good)
        good = SSL_CTX_set_num_tickets(ctx, 0) == 1;
    if (good) {
        what = "certificate";
        good = SSL_CTX_use_certificate_chain_file(ctx, cert) == 1;
        path = good ? path : cert;
    }
    if (good) {
        what = "key";
        good = SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1 &&
               SSL_CTX_check_private_key(ctx) == 1;
    }
    if (good)
        return ctx;
    fail(error, what, path);
    SSL_CTX_free(ctx);
    return NULL;
}
