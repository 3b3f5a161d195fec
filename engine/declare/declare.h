/* declare: from the Lua of a bundle to struct schema.
 *
 * Loading runs the declarations; the vocabulary (vocabulary.h) only writes down
 * what is said. Here it is judged and turned into plain C data, so that neither
 * the checks nor the tables of declarations stay in the image that a sandbox
 * copies for each run: only the functions do, behind references of luaL_ref,
 * which are the function numbers of the schema.
 *
 * Default methods are added for every type, but for those in its `off`. Their
 * arguments are
 *
 *     create put append   all fields of header and body; a raw body is `body`
 *     patch               which one, and each other field, optional
 *     get delete history  which one
 *     list                the parent's field, after, limit: all optional
 *     watch               after, optional
 *
 * where "which one" is `id`, a ref of the type (that is why no field may be
 * called so), or its parent and key fields; all optional where there is a key.
 * create, put, patch and append return that ref, get returns the object's
 * fields with `id`, all but it optional, list a list of such. */
#ifndef ATE_DECLARE_DECLARE_H
#define ATE_DECLARE_DECLARE_H

#include "schema/schema.h"

struct err;
struct sandbox;

enum {
    DECLARE_NAME_MAX = 64,        /* letters of a name that is declared */
    DECLARE_TEXT_HEADER = 4096,   /* max of a t.text without one, in headers */
    DECLARE_TEXT_BODY = 65536,    /* and everywhere else */
    DECLARE_LIST_ITEMS = 256,     /* max of a t.list without one */
    DECLARE_LIST_MAX = 65536,     /* what max of a t.list may be */
    DECLARE_FIELD_MAX = 16 << 20, /* what max of one field of a body may be */
    DECLARE_RAW_MAX = 512 << 20,  /* and of a body that is one text */
    DECLARE_KEY_TEXT = 255,       /* and of a text in a view's key or order */
    DECLARE_COUNT_MAX = 4096,     /* declarations of a chain */
    DECLARE_NAMES_MAX = 1024,     /* names in one list or table */
    DECLARE_TYPES_MAX = 32768,    /* types of fields, each where it is used */
    DECLARE_DEPTH_MAX = 8,        /* structs and lists inside each other */
    DECLARE_WRAPS_MAX = 4,        /* t.optional and the like likewise */
};

/* Load the module `main_module` in a sandbox that is not sealed yet, and turn
 * what it and the modules it requires declare into `out`. The caller seals the
 * sandbox; after a failure both are of no use but to be freed (`out` is all
 * zeros). Errors: INVALID (one line a mistake, sorted by place:
 * "bank.transfer.rset: no such key; did you mean 'rest'? (bank.lua:31)"), and
 * those of sandbox_load. */
int declare_load(struct sandbox *s, const char *main_module, struct schema *out,
                 struct err *err);
#endif
