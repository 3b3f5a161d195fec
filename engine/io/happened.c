#include "io/happened.h"

#include "base/err.h"
#include "base/mapping.h"
#include "io/port.h"

void happened_tell(struct port *port, struct bytes event)
{
    if (port == NULL)
        return;
    struct answer *answer = answer_new(0, false, 0, NULL, event);
    answer->is_notice = true;
    port_offer(port, answer, HAPPENED_MAX);
}

void happened_refused(struct port *port, const struct err *why)
{
    struct mapping m = {0};
    struct buf event = {0};
    mapping_text(&m, "code", err_name(why->code));
    mapping_text(&m, "event", "refused");
    mapping_text(&m, "text", why->text);
    mapping_put(&m, &event);
    happened_tell(port, buf_bytes(&event));
    buf_deinit(&event);
}

void happened_end(struct port *port)
{
    if (port != NULL)
        port_unref(port);
}
