/* hold: the durable version of a chain's state as it is now, for who reads it
 * over several turns and wants it to be one.
 *
 * It costs the pages that are replaced meanwhile. Another core, of another
 * schema, lets go of all that is held of the one before. */
#ifndef ATE_CHAIN_HOLD_H
#define ATE_CHAIN_HOLD_H

#include "base/ring.h"
#include "base/tree.h"

struct chain;
struct tree_pin;

/* The holder's storage; all zeros: it holds nothing. Stays where it is. */
struct hold {
    struct ring ring; /* in chain->holds */
    struct tree *tree;
    struct tree_pin *pin; /* NULL: nothing is held, or it was let go */
};

void hold_begin(struct hold *h, struct chain *c);
void hold_end(struct hold *h); /* safe twice, and of what holds nothing */
/* Only of what is held. */
struct tree_version hold_version(const struct hold *h);

/* End all that are in this ring. */
void holds_end(struct ring *holds);
#endif
