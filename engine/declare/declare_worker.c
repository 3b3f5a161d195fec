/* Workers. What they wait for is noted at types and views, too, where the chain
 * looks for it. */
#include "declare/declaring.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

/* Workers are read in the order of their names, so these lists are sorted. */
static void note_types(struct declaring *d, const struct worker *worker)
{
    for (size_t i = 0; i < d->out->type_count; i++) {
        struct event_type *type = &d->out->types[i];
        for (size_t k = 0; k < worker->on.count; k++) {
            if (strcmp(worker->on.items[k], type->name) != 0)
                continue;
            size_t count = type->worker_count++;
            type->workers = mem_resize(
                type->workers, type->worker_count * sizeof(*type->workers));
            type->workers[count] = worker->method.name;
        }
    }
}

static void note_view(struct declaring *d, const struct worker *worker)
{
    struct view *view = &d->out->views[worker->view - d->out->views];
    size_t count = view->due_count++;
    view->due = mem_resize(view->due, view->due_count * sizeof(*view->due));
    view->due[count] = (struct due){worker->method.name, worker->column};
}

static void read_due(struct declaring *d, const struct place *place,
                     int options, struct worker *worker)
{
    struct place at = place_in(place, "due");
    const struct text_list *due = read_texts(d, place, options, "due");
    if (due == NULL)
        return;
    if (due->count != 2) {
        wrong(d, &at,
              "want a view and a column of it, such as {'open', "
              "'deadline'}");
        return;
    }
    const struct view *view = find_view(d, &at, due->items[0]);
    if (view == NULL)
        return;
    const struct field *column =
        fields_find(&view->columns, bytes_of_text(due->items[1]));
    if (column == NULL) {
        wrong(d, &at, "the view '%s' has no column '%s'", view->name,
              due->items[1]);
    } else if (column->type.kind != VALUE_TIME) {
        wrong(d, &at, "the column '%s' is no time", column->name);
    } else if (view->reads_bodies) {
        wrong(d, &at,
              "the view '%s' reads bodies, so its rows are not the same for "
              "everybody",
              view->name);
    } else {
        worker->view = view;
        worker->column = (size_t)(column - view->columns.items);
    }
}

void declare_worker(struct declaring *d, const struct record *record,
                    struct worker *worker)
{
    static const char *const keys[] = {"doc", "on", "due", "run", NULL};
    struct place place = place_at(record->where, record->name);
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, keys);
    worker->method.doc = read_doc(d, &place, options);
    bool has_on = read_push(d, options, "on");
    bool has_due = read_push(d, options, "due");
    lua_settop(d->L, options);
    if (has_on == has_due)
        wrong(d, &place,
              "has either on, the types it waits for, or due, a "
              "view and its column of times");
    read_types(d, &place, options, "on", &worker->on);
    read_due(d, &place, options, worker);
    note_types(d, worker);
    if (worker->view != NULL)
        note_view(d, worker);
    worker->method.function = read_function(d, &place, options, "run", true);
    assert(lua_gettop(d->L) == options);
}
