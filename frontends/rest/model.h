/* model: what a chain's schema declares, as the door looks things up in it.
 *
 * It is made from the answer of read "schema" and knows no chain. Routes are
 * found by walking the annotation `rest` of methods. */
#ifndef FRONTENDS_REST_MODEL_H
#define FRONTENDS_REST_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { ROUTE_PARTS = 32 };

/* 'POST /accounts/{from}/transfers' */
struct route {
    char *verb;
    char *room;
    size_t count;
    const char *parts[ROUTE_PARTS]; /* a word, or the name of an argument */
    bool is_argument[ROUTE_PARTS];
    json_t *method; /* borrowed from the schema */
};

struct model {
    int refs;
    json_t *schema; /* as the engine describes it */
    json_t *types;  /* by name; each the description in `schema` */
    json_t *views;
    json_t *methods;
    size_t route_count;
    struct route *routes; /* words before arguments, at each place */
};

/* Takes `schema` over; made with one reference. */
struct model *model_new(json_t *schema);
struct model *model_ref(struct model *m);
void model_unref(struct model *m); /* NULL is harmless */

/* Of a list of fields: the one with this name, or NULL. */
json_t *model_field(const json_t *fields, const char *name);
/* The text at a key, or NULL. */
const char *model_text(const json_t *object, const char *key);
/* The names of what is declared, by name or in a list, and `more`, which NULL
 * ends, or NULL. They are borrowed; the list, which NULL ends, is the caller's.
 */
const char **model_names(json_t *things, const char *const *more);
bool model_is_object(const json_t *type);
bool model_reads(const json_t *method);
/* A method of a type that the schema did not turn off, or NULL. */
json_t *model_default(const struct model *m, const char *type,
                      const char *word);
/* The fields of the key that are written in it: not the parent's. */
bool model_key_field(const json_t *type, size_t i, const char **name);
#endif
