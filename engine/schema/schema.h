/* schema: what the Lua of one bundle declares, as plain C data.
 *
 * engine/script fills it once when it loads a bundle; everybody else reads it.
 * All names of types, views, rules and methods are qualified (`bank.account`).
 * Arrays are sorted by name unless said otherwise, so their order is one of
 * content. A function of Lua is known here by a number that only the logic
 * understands. */
#ifndef ATE_SCHEMA_SCHEMA_H
#define ATE_SCHEMA_SCHEMA_H

#include "base/bytes.h"

struct err;

/* What a whole number is at most, either way, unless its type says less: Lua
 * tells all of them apart up to there. */
#define SCHEMA_EXACT_MAX (INT64_C(1) << 53)

enum value_kind {
    VALUE_TEXT,
    VALUE_NAME,
    VALUE_BLOB,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_AMOUNT,
    VALUE_ENUM,
    VALUE_DATE,
    VALUE_MONTH,
    VALUE_TIME,
    VALUE_IDENTITY,
    VALUE_REF,
    VALUE_EVENT_TYPE, /* the qualified name of a type of this chain */
    VALUE_STRUCT,
    VALUE_LIST,
    VALUE_PAGE, /* only returned: a list of rows of a view */
};

struct field;

struct fields {
    struct field *items; /* sorted by name */
    size_t count;
};

/* The type of one value. */
struct value_type {
    enum value_kind kind;
    bool optional;
    bool once;        /* no later version may change it */
    int64_t min, max; /* of an integer or amount; INT64_MIN, INT64_MAX: free,
                         SCHEMA_EXACT_MAX either way: none was said */
    uint64_t len_min; /* bytes of a text or blob, items of a list */
    uint64_t len_max; /* never 0: the vocabulary sets a bound */
    bool large;       /* of a blob: a handle may stand for it (handle.h) */
    int scale;        /* of an amount: 0 to 18; -1: that of the field `of` */
    char *of;         /* name of the sibling field, a ref, that has the scale */
    char *target;     /* of a ref: qualified type; of a page: the view */
    bool exact;       /* of a ref: one to another type is no key of a row */
    char **words;     /* of an enum, in the order declared */
    size_t word_count;
    struct fields fields;    /* of a struct */
    struct value_type *item; /* of a list */
    struct bytes
        default_value; /* canonical msgpack in stored form; len 0: none */
};

struct field {
    char *name;
    char *doc; /* or NULL */
    struct value_type type;
};

struct text_list {
    char **items;
    size_t count;
};

enum type_off {
    OFF_CREATE = 1, /* refused at acceptance: new versions of an object */
    OFF_PATCH = 2,  /* edits */
    OFF_DELETE = 4, /* deletions */
    OFF_APPEND = 8, /* of a fact: events that default methods would append */
    OFF_GET = 16,
    OFF_LIST = 32,
    OFF_PUT = 64,
    OFF_HISTORY = 128,
    OFF_WATCH = 256,
};

/* Converts fields that an older version of the schema stored. */
struct upgrade_from {
    int64_t version; /* of the schema that stored them */
    int function;    /* of Lua */
};

struct right {
    char *name;
    char *doc;
};

/* An object's or an event's type. */
struct event_type {
    char *name;   /* "bank.account" */
    char *schema; /* "bank" */
    char *doc;
    char *where; /* "bank.lua:7" */
    bool is_object;
    struct fields header;
    struct fields body;
    struct value_type *raw_body; /* when the body is one text or blob */
    size_t *key; /* positions in header, in the order declared */
    size_t key_count;
    int parent;   /* position in header of the ref that names it; -1: none */
    unsigned off; /* enum type_off */
    char *with; /* qualified type that has to be in the transaction, or NULL */
    bool erasable;
    struct right *rights;
    size_t right_count;
    int keep;                      /* a Lua function, or 0 */
    struct upgrade_from *upgrades; /* sorted by version */
    size_t upgrade_count;
    const char **workers; /* names of those that wait for it, sorted */
    size_t worker_count;
};

struct fold {
    char *type; /* qualified */
    int function;
};

/* A worker that waits for the time in a column of a row. */
struct due {
    const char *worker; /* its name */
    size_t column;      /* position in columns: a time */
};

struct view {
    char *name;
    char *schema;
    char *doc;
    char *where;
    struct fields columns;
    size_t *key; /* positions in columns, in the order declared */
    size_t key_count;
    size_t *order; /* likewise; count 0: rows stand in the order of the key */
    size_t order_count;
    bool reads_bodies;   /* kept per reader, stands in no state root */
    bool gives_defaults; /* each column outside the key, one at least, has one:
                            then an absent row is read as these */
    struct fold *folds;  /* sorted by type */
    size_t fold_count;
    struct due *due; /* sorted by worker */
    size_t due_count;
};

struct rule {
    char *name; /* "bank.too_deep"; doors say "too_deep" */
    char *schema;
    char *doc;
    char *where;
    struct text_list on; /* qualified types, sorted */
    bool per_transaction;
    char *text;         /* or NULL: the doc is said */
    struct fields says; /* types of values that are no field of the event */
    int function;
};

enum method_mode { METHOD_READ, METHOD_WRITE };
enum method_runs { RUNS_BOTH, RUNS_SERVER, RUNS_CLIENT };

/* Default methods exist for every type; they need no Lua. */
enum method_default {
    DEFAULT_NONE, /* declared: `function` runs it */
    DEFAULT_CREATE,
    DEFAULT_GET,
    DEFAULT_LIST,
    DEFAULT_PUT,
    DEFAULT_PATCH,
    DEFAULT_DELETE,
    DEFAULT_HISTORY,
    DEFAULT_WATCH,
    DEFAULT_APPEND,
    /* Of the chain, not of a type: engine_methods.h. */
    DEFAULT_GRANT,
    DEFAULT_REVOKE,
    DEFAULT_ORDER,
    DEFAULT_ROTATE,
    DEFAULT_BUNDLE,
    DEFAULT_ACTIVATE,
    DEFAULT_WORK,
    DEFAULT_PARK,
    DEFAULT_RETRY,
    DEFAULT_DROP,
    DEFAULT_ASK,
    DEFAULT_ANSWER,
    /* Not called by doors: the function of a worker. */
    DEFAULT_WORKER,
};

struct method {
    char *name; /* "bank.transfer", "bank.account.put" */
    char *schema;
    char *doc;
    char *where;
    enum method_mode mode;
    enum method_runs runs;
    struct fields args;
    struct value_type *returns; /* or NULL */
    struct bytes annotations;   /* canonical map of the keys that doors own */
    enum method_default by_default;
    const struct event_type *type; /* of a default method of a type */
    int function;
};

/* What happens when an event came, or when the time in a row has passed. */
struct worker {
    struct method method;    /* first; its name, doc and function */
    struct text_list on;     /* qualified types, sorted; or none, and */
    const struct view *view; /* the rows that it waits for; */
    size_t column;           /* their time, as its place in columns */
};

struct schema_part {
    char *name; /* "bank" */
    char *doc;
    int64_t version;
    bool sealed; /* bodies = 'sealed' */
    struct fields context;
};

struct schema {
    char *main; /* name of the schema that the main module returned */
    struct schema_part *parts;
    size_t part_count;
    struct event_type *types;
    size_t type_count;
    struct view *views;
    size_t view_count;
    struct rule
        *rules; /* in the order declared: the first that refuses is told */
    size_t rule_count;
    struct method *methods; /* declared and default ones */
    size_t method_count;
    struct worker *workers;
    size_t worker_count;
};

void schema_deinit(struct schema *s); /* safe twice; s is all zeros after it */
void value_type_deinit(struct value_type *type);
void fields_deinit(struct fields *fields);

/* By qualified name, or by the short one when it belongs to the main schema.
 * NULL when there is none. */
const struct event_type *schema_type(const struct schema *s, struct bytes name);
const struct view *schema_view(const struct schema *s, struct bytes name);
const struct method *schema_method(const struct schema *s, struct bytes name);
const struct worker *schema_worker(const struct schema *s, struct bytes name);
const struct schema_part *schema_part(const struct schema *s, const char *name);
const struct field *fields_find(const struct fields *fields, struct bytes name);

/* Does the column, by its position in view->columns, stand in the key? */
bool view_is_key(const struct view *view, size_t column);

/* NOT_FOUND, with the worker that was probably meant. */
int schema_no_worker(const struct schema *s, struct bytes name,
                     struct err *err);

/* The function that converts fields stored by this version of the schema; 0:
 * there is none. */
int event_type_upgrade(const struct event_type *type, int64_t version);

/* How many pieces, joined by '/', the text key of a type's objects has: at
 * least, and whether there may be more, where a parent is optional. */
struct key_pieces {
    size_t least;
    bool vary;
};
struct key_pieces schema_key_pieces(const struct schema *s,
                                    const struct event_type *type);
/* Those of one part of it: the parent, or a field of the key. */
struct key_pieces schema_parent_pieces(const struct schema *s,
                                       const struct event_type *type);
struct key_pieces schema_field_pieces(const struct schema *s,
                                      const struct field *field);
/* Several parts vary: what is whose, a text does not tell. */
bool schema_key_is_ambiguous(const struct schema *s,
                             const struct event_type *type);
/* A field of the key that is the parent is not written twice. */
bool event_type_writes(const struct event_type *type, size_t key);

/* The name that doors use: without "<main>." in front. Borrowed. */
const char *schema_short(const struct schema *s, const char *name);
#endif
