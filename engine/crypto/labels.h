/* labels: what each hash is for. A hash made for one purpose is never one made
 * for another, because the label is the first thing hashed. All are here. */
#ifndef ATE_CRYPTO_LABELS_H
#define ATE_CRYPTO_LABELS_H

#define LABEL_TABLE(X)                                                         \
    X(KEY, "key")           /* key id, of a key record */                      \
    X(GENESIS, "genesis")   /* chain id */                                     \
    X(EVENT, "event")       /* event id */                                     \
    X(OBJECT, "object")     /* object id from parent and key fields */         \
    X(FACT, "fact")         /* object id of a fact without a key */            \
    X(IDENTITY, "identity") /* of a user or group object */                    \
    X(TX, "tx")             /* transaction id */                               \
    X(BATCH, "batch")       /* what a batch signature signs */                 \
    X(SIGN, "sign")         /* what a further signature signs */               \
    X(SIGS, "sigs")         /* a transaction's signatures in its log leaf */   \
    X(VERDICT, "verdict")   /* verdict digest */                               \
    X(ARGS, "args")         /* a call's arguments */                           \
    X(READS, "reads")       /* a call's read set */                            \
    X(SEEN, "seen")         /* what one entry of a read set saw */             \
    X(RESULT, "result")     /* a call's result */                              \
    X(FRAME, "frame")       /* chain hash of frames */                         \
    X(SLOT, "slot")         /* place of an entry in the state root */          \
    X(LEAF, "leaf")         /* an entry of the state root */                   \
    X(NODE, "node")         /* an inner node of the state root */              \
    X(EFFECT, "effect")     /* idempotency key of an effect outside */         \
    X(ROOTS, "roots")       /* digest of the next root key set */              \
    X(OWN, "own")           /* key of a tag on a file of the node's own */

enum label {
#define X(name, text) LABEL_##name,
    LABEL_TABLE(X)
#undef X
        LABEL_COUNT,
};

const char *label_text(enum label label);
#endif
