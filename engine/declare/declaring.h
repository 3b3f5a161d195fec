/* declaring: one load of declarations under way, and how they are read.
 *
 * Used by declare.c and its parts (declare_*.c) alone. All of it runs inside
 * one protected call: a Lua error may pass at any lua_ function, so whatever is
 * allocated hangs on `out` or on this struct before Lua is touched again. */
#ifndef ATE_DECLARE_DECLARING_H
#define ATE_DECLARE_DECLARING_H

#include <lua.h>

#include "declare/problems.h"
#include "schema/schema.h"

enum declared {
    DECLARED_SCHEMA,
    DECLARED_OBJECT,
    DECLARED_EVENT,
    DECLARED_VIEW,
    DECLARED_RULE,
    DECLARED_METHOD,
    DECLARED_WORKER,
    DECLARED_KINDS,
};

/* One declaration, in C; its table stands in the list at `index`. */
struct record {
    char *name; /* qualified, "bank.account"; of a schema its own */
    enum declared kind;
    const char *leaf; /* "account", inside name */
    char *schema;
    char *where;
    int index;
};

/* The type that gives an amount its scale has to have a field for it. */
struct scale_check {
    struct place place;
    const struct event_type *target;
};

struct declaring {
    lua_State *L;
    struct schema *out;
    struct problems problems;
    struct record *records; /* sorted by kind, then name; rules as declared */
    size_t record_count;
    size_t record_cap;
    struct text_list **lists; /* what read_texts and read_names gave */
    size_t list_count;
    size_t list_cap;
    const char *schema;         /* whose declaration is being read */
    struct buf scratch;         /* of texts that are put together */
    struct buf value;           /* of a default that is being read */
    struct scale_check *scales; /* for when all types have been read */
    size_t scale_count;
    size_t scale_cap;
    size_t types_read; /* of fields, against a table that holds itself often */
    int main;          /* reference of what the main module returned */
};

void declaring_deinit(struct declaring *d); /* not `out`; safe twice */

void wrong(struct declaring *d, const struct place *place, const char *format,
           ...) __attribute__((format(printf, 3, 4)));

/* Is something wrong there, or below? Then what follows from it is not told. */
bool is_told(const struct declaring *d, const struct place *place);

/* ---- reading a table of options, which stands at the absolute `table` ---- */

/* Each key is one of `keys`, which end with NULL. */
void read_keys(struct declaring *d, const struct place *place, int table,
               const char *const *keys);

/* Push the option; false when it is not there (then nothing is pushed). */
bool read_push(struct declaring *d, int table, const char *key);

/* A text that is not empty, a new copy; NULL when it is not there or wrong. */
char *read_text(struct declaring *d, const struct place *place, int table,
                const char *key);
char *read_doc(struct declaring *d, const struct place *place, int table);

/* One of `words`, which end with NULL; `fallback` when it is not there, and a
 * negative one says that it has to be. Returns its number. */
int read_word(struct declaring *d, const struct place *place, int table,
              const char *key, const char *const *words, int fallback);

/* False, and *value as it was, when it is not there or wrong. */
bool read_integer(struct declaring *d, const struct place *place, int table,
                  const char *key, int64_t *value);
bool read_boolean(struct declaring *d, const struct place *place, int table,
                  const char *key);

/* A reference for good to a function; 0 when there is none. */
int read_function(struct declaring *d, const struct place *place, int table,
                  const char *key, bool needed);

/* A list of texts, which belongs to `d`; NULL when it is not there or wrong. */
const struct text_list *read_texts(struct declaring *d,
                                   const struct place *place, int table,
                                   const char *key);

/* A list of types, by their full names, sorted, added to `out`. */
void read_types(struct declaring *d, const struct place *place, int table,
                const char *key, struct text_list *out);

/* The keys of the table at `table`, all of them text, sorted; belongs to `d`.
 * What is no text is told. */
const struct text_list *read_names(struct declaring *d,
                                   const struct place *place, int table);

/* May fields, types and the like be called so? Tells when not. */
bool name_allowed(struct declaring *d, const struct place *place,
                  const char *name);

/* "; did you mean 'x'?" or "", in memory of `d` until the next call. */
const char *suggest(struct declaring *d, const char *name,
                    const char *const *names, size_t count);

/* The type or view that `name` means in the schema at hand: its own by short
 * name, any by its full one. NULL is told. */
const struct event_type *find_type(struct declaring *d,
                                   const struct place *place, const char *name);
const struct view *find_view(struct declaring *d, const struct place *place,
                             const char *name);

/* Look for each of `list` in `fields`; new array of positions, told when not.
 */
size_t *find_columns(struct declaring *d, const struct place *place,
                     const struct text_list *list, const struct fields *fields,
                     size_t *count);

/* ---- the parts; each reads one declaration, whose table of options stands on
 * top of the stack, and leaves the stack as it was ---- */

void declare_part(struct declaring *d, const struct record *record,
                  struct schema_part *part);
void declare_type(struct declaring *d, const struct record *record,
                  struct event_type *type);
void declare_view(struct declaring *d, const struct record *record,
                  struct view *view);
void declare_rule(struct declaring *d, const struct record *record,
                  struct rule *rule);
void declare_method(struct declaring *d, const struct record *record,
                    struct method *method);
void declare_worker(struct declaring *d, const struct record *record,
                    struct worker *worker);

/* Methods of a schema that would be reached at the same door. */
void declare_clashes(struct declaring *d);
/* Text keys that do not tell what they name. */
void check_text_keys(struct declaring *d);
#endif
