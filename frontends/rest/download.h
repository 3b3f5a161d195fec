/* download: a chain's own file, or a range of it, as it is on disk. */
#ifndef FRONTENDS_REST_DOWNLOAD_H
#define FRONTENDS_REST_DOWNLOAD_H

struct download;
struct exchange;

/* Answer with the file x->plan.file. */
void download_begin(struct exchange *x);
/* With the exchange; NULL is harmless. */
void download_free(struct download *d);
#endif
