/* ate.h: the one public header of the engine.
 *
 * Every function may be called from any thread, also on the same `ate` or port
 * at the same time; only what is being closed or freed may not be in use. What
 * takes time is a call: it is started with ate_call() or ate_read(), which do
 * not wait, and its answers arrive on a port, a queue with an eventfd that the
 * caller polls in a loop of its own. A caller that has not asked for a port's
 * descriptor is taken to wait next, so what it starts may be worked on its own
 * thread, which needs a stack of 1 MiB for it. Only ate_open(),
 * ate_open_within(), ate_close(), ate_listen() and ate_callers_max() wait, for
 * files, another process or a turn of the engine, and ate_bundle() and
 * ate_proof() compute. The library has threads of its own, which block all
 * signals; it calls nothing of the caller's. None of it may be used in the
 * child of a fork() before exec().
 *
 * Values cross this header as msgpack, in the form that doors use: an amount is
 * text ("12.50"), a ref the key of what it names ("alice", "project/7", a fact
 * without key "<index>.<n>"), an identity a name of the caller's key list or
 * "key:<hex>", a time ISO 8601 text; numbers, booleans, lists and maps are
 * themselves. What comes out is canonical: the shortest form of each number,
 * the keys of maps sorted. What goes in need not be.
 *
 * Texts are UTF-8 and end with a zero. Memory that comes from here is freed by
 * ate_free() or by the function that its comment names; what is passed in is
 * copied before the function returns. Where memory runs out the process ends,
 * and nothing that was acknowledged is lost. */
#ifndef ATE_H
#define ATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATE_API __attribute__((visibility("default")))
#define ATE_VERSION "0.1.0"

/* The version of the library that is loaded, as ATE_VERSION. Lives for ever. */
ATE_API const char *ate_version(void);

enum ate_code {
    ATE_OK = 0,
    ATE_IO = -1,        /* the disk or the system failed */
    ATE_INVALID = -2,   /* what was asked for makes no sense; do not repeat */
    ATE_DENIED = -3,    /* no right, or no key, or no access to a file */
    ATE_REFUSED = -4,   /* a rule of the schema said no; `rule` has its name */
    ATE_NOT_FOUND = -5, /* no such chain, type, object, method, ... */
    ATE_CONFLICT = -6,  /* it is there already, or was used for another */
    ATE_CORRUPT = -7,   /* what is stored is not what was written */
    ATE_UNAVAILABLE = -8, /* not here or not now; may be repeated */
    ATE_FULL = -9,        /* no room on the disk */
    ATE_LIMIT = -10,      /* larger, longer or more than is allowed */
    ATE_STALE = -11,      /* made over what changed; ask again, sign again */
    ATE_SCRIPT = -12,     /* Lua of a schema failed */
    ATE_CANCELED = -13,   /* by ate_cancel(), a deadline, or closing */
};

/* Filled by what fails, and cleared by what does not; where a function takes
 * one, NULL says that nobody wants to know. */
struct ate_error {
    int code;        /* enum ate_code */
    char rule[128];  /* the rule that refused, "" for other errors */
    char reason[32]; /* the code more exactly, in a word of letters and '_' that
                        programs may go by ("call_id_used"), "" for most */
    /* Which of the request's arguments are meant: JSON pointers (RFC 6901), one
     * a line, in the order of the text; "" for none. A name with a line feed in
     * it is in none, nor what has no room: then what holds it is named. */
    char at[512];
    char text[1024]; /* for people; names operation, object and place */
};

/* Of a code: its name ("REFUSED"), the exit code of a command, the HTTP status,
 * the errno (0 and above). Any number may be given; names live for ever. */
ATE_API const char *ate_code_name(int code);
ATE_API int ate_code_exit(int code);
ATE_API int ate_code_http(int code);
ATE_API int ate_code_errno(int code);

struct ate_bytes {
    uint8_t *data;
    size_t len;
};
/* Free what they own and make them empty. Safe twice; NULL is harmless. */
ATE_API void ate_free(struct ate_bytes *bytes);

/* ---- a data folder ---- */

struct ate;

enum ate_open_flags {
    ATE_READ_ONLY = 1, /* takes no lock, writes nothing; beside a writer, too */
    ATE_CREATE = 2,    /* make the folder when it is not there */
    ATE_MEMORY = 4,    /* no folder: all in memory, a clock set by hand */
    ATE_FOLDER = 8,    /* `path` is one chain's folder; its chain is named ""
                          (implies READ_ONLY) */
    ATE_LOCAL = 16,    /* never through the process that listens: for whoever
                          was handed DATA/socket, and will (ate_listen_at()) */
};

/* Open the data folder at `path`, which has no default: ATE_DATA is for
 * programs to look at. `*out` is closed by ate_close(), NULL after a
 * failure. `flags`: enum ate_open_flags, or 0: to read and write a folder that
 * is there. One process at a time may write to it. When that one listens
 * (ate_listen(), `ate serve`), calls go to it through DATA/socket, whatever the
 * flags but MEMORY, FOLDER and LOCAL, and every function works alike. The
 * other process is waited for at most 5 seconds; ate_open_within() says how
 * long.
 * Errors: NOT_FOUND, DENIED (also: the process that listens lets in the
 * folder's owner and root alone), UNAVAILABLE (another process has it, and does
 * not listen, or takes nobody, or says nothing), IO, CORRUPT, INVALID (flags;
 * or the other process speaks another version). */
ATE_API int ate_open(struct ate **out, const char *path, unsigned flags,
                     struct ate_error *error);

/* The same for whoever has a deadline: the other process is waited for at most
 * `wait_ms`, from now on; 0: as ate_open(). What this process opens itself
 * takes as long as its files do.
 * Errors: those of ate_open(), and CANCELED: the other process takes nobody, or
 * says nothing, within `wait_ms`. */
ATE_API int ate_open_within(struct ate **out, const char *path, unsigned flags,
                            uint32_t wait_ms, struct ate_error *error);

/* Wait for writes under way, cancel reads, mark the logs idle, close. Where
 * others are connected, they first get their answers; who does not take them is
 * cut off after 5 seconds. Ports and their unread answers stay valid. NULL is
 * harmless. */
ATE_API void ate_close(struct ate *ate);

/* 1: another process serves the folder. When the connection to it ends, calls
 * under way end with UNAVAILABLE, and say where it is not known whether they
 * were done; the next call connects anew, or ends with UNAVAILABLE, too. */
ATE_API int ate_is_remote(const struct ate *ate);

/* Serve the folder to other processes, through DATA/socket, until it is closed:
 * from the return of this on they can open it. Twice is harmless.
 * Errors: INVALID (not open for writing, or in memory), UNAVAILABLE (it is
 * remote), CONFLICT (DATA/socket is there and no socket), DENIED, IO. */
ATE_API int ate_listen(struct ate *ate, struct ate_error *error);

/* The same, by a socket that listens already: somebody else, such as systemd,
 * made DATA/socket, and removes it. The descriptor is taken over, also by a
 * failure. Errors: those of ate_listen(), and INVALID: `fd` is no Unix socket
 * that listens at DATA/socket. */
ATE_API int ate_listen_at(struct ate *ate, int fd, struct ate_error *error);

/* How many others may be connected at a time, 1 to 4,096; 256 until told. Those
 * who are there stay, if they are more. From any time on, also before
 * ate_listen(). Errors: INVALID (another number), UNAVAILABLE (it is remote).
 */
ATE_API int ate_callers_max(struct ate *ate, unsigned most,
                            struct ate_error *error);

/* Memory only: set the clock, in milliseconds since 1970; it begins at 0 and
 * stands still. Calls that are started later see it. Errors: INVALID (not in
 * memory, or it would go back). */
ATE_API int ate_set_clock(struct ate *ate, int64_t time_ms,
                          struct ate_error *error);

/* ---- ports ---- */

/* One port serves any number of calls, of any number of `ate`s. A door has one
 * for each thread or loop that takes answers. */
struct ate_port;
/* NULL: the process may open no more files. */
ATE_API struct ate_port *ate_port_new(void);
/* Answers that nobody read are dropped. Free it after the ate it was used with,
 * or when no call of it is under way. NULL is harmless. */
ATE_API void ate_port_free(struct ate_port *port);
/* A descriptor that is readable while an answer waits, to be polled and nothing
 * else: ate_port_next() empties it. Owned by the port. */
ATE_API int ate_port_fd(const struct ate_port *port);
/* For a loop, or threads that take turns, which take answers before they sleep
 * or leave the turn, until there is none. What it asks in a turn is gathered
 * then, and begun by the next ate_port_next(): on its own thread if that is
 * little and the folder is this process's, so that reads are often answered at
 * once. The descriptor wakes it for what comes later. Such a port is freed
 * before its ate. */
ATE_API void ate_port_gather(struct ate_port *port);

enum ate_answer_kind {
    ATE_ANSWER_DATA = 1,   /* one chunk of the output stream, more may follow */
    ATE_ANSWER_FINAL = 2,  /* the end of the call */
    ATE_ANSWER_ASKED = 3,  /* a worker asks a service: ate_reply() answers */
    ATE_ANSWER_NOTICE = 4, /* something happened: see ate_watch() */
};

struct ate_answer {
    uint64_t call;          /* as ate_call() returned it; ASKED: its own */
    int kind;               /* enum ate_answer_kind */
    struct ate_error error; /* code 0 for DATA and for success */
    /* DATA: one msgpack value. FINAL: the result, or nil; for a write it is the
     * map {result, index, root (hex), tx (hex), receipt (text), gas,
     * durable_us}; for a failed one empty. ASKED: a map, see ate_provide();
     * NOTICE likewise, ate_watch(). The caller's: ate_free() it. */
    struct ate_bytes value;
};

/* Take the next answer: 1 and `*answer`, or 0 when none came within
 * `timeout_ms` (0: do not wait, -1: for ever). Where several threads take, each
 * answer goes to one. Those of one call come in order, FINAL last and once;
 * those of different calls in any order. */
ATE_API int ate_port_next(struct ate_port *port, struct ate_answer *answer,
                          int timeout_ms);

/* ---- calls ---- */

struct ate_request {
    const char *chain;  /* its name; NULL: the node itself */
    const char *method; /* "transfer", "account.put", or qualified */
    const void *args;   /* a msgpack map; NULL: none */
    size_t args_len;    /* at most 16 MiB */
    /* What the method may know beside its arguments: a msgpack map of the
     * fields that its schema's `context` declares, in door form, read there as
     * ctx.data; NULL: none. At most 65,535 bytes. Where a method of the schema
     * is called, or read with "call"; default methods check it and use none of
     * it, all else takes none (INVALID). It is not stored, but a repeated call
     * id has to come with the same. */
    const void *context;
    size_t context_len;
    /* Who. None of the four is an empty text, nor has one an empty name among
     * its names (INVALID): that was meant to be somebody, not what NULL is. */
    const char *as;      /* name of the key that signs; NULL: "me" */
    const char *act_for; /* identity that it acts for; NULL: itself */
    const char *with;    /* names of keys that sign as co-authors, and */
    const char *roots;   /* as root keys, separated by commas; NULL: none */
    /* Of a write, not 0: do not write, but give {proposal (text), tx}: signed
     * by those above, except keys that are public here, for others to sign
     * (proposal.sign) and somebody to hand in (ate.submit). */
    int propose;
    const uint8_t *call_id; /* 16 bytes; NULL: a new one, a UUID of version 7.
                               A repeated one gets the stored answer. */
    uint32_t credit; /* chunks of output that may come before ate_grant(), and
                        so the most that wait on the port; 0: 256 */
    uint32_t deadline_ms; /* What is not done by then, from now on, ends with
                             CANCELED; 0: no deadline. A write under way is not
                             undone: the text says that its outcome is not
                             known, and names the call id, which gets the
                             answer. */
};

/* Call a method. Never fails at once: what goes wrong is the final answer.
 * Returns the call's number, from 1 on, unique within `ate`. A write is
 * answered when it is durable. Calls are begun in the order in which they were
 * started; of two that depend on each other the first has to be waited for.
 * `port` outlives the call.
 *
 * The node's own methods (chain NULL):
 *
 *     chain.create {name, bundle bin, accept? [text], version?,
 *                   roots? [key name], threshold?, next? [key name],
 *                   next_threshold?}
 *                         -> {id, name, schema}
 *                         roots: the keys that may everything, `threshold` of
 *                         them together, else whoever signs; next: those that
 *                         may follow on them (ate.rotate)
 *     chain.ls {}         -> [{name, id, state, schema?, version?, size?,
 *                            error?, code?, reason?}]: what is known without
 *                            opening a chain; so of one that is closed no
 *                            version, unless nothing came behind its genesis
 *     key.new {name}      -> {name, id, sign, box}
 *     key.ls {all?: true} -> [...]: as key.show; all: the node's own, too
 *     key.show {name}     -> {name, id, sign, box}
 *     key.add {name, public}
 *                         -> as key.show
 *     proposal.sign {proposal, key, purpose "author" or "root"}
 *                         -> {proposal}
 *
 * Methods that every chain has, whatever its schema:
 *
 *     ate.put {id bin 16, offset?, data? bin, end?: true, hash?, sealed?: true}
 *                         where JSON is spoken, bytes are hexadecimal text
 *                         -> {offset} or, at the end, {hash, length}
 *                         a body of more than 65,536 bytes, before the call
 *                         that gets {hash, length} where a blob is wanted. An
 *                         id of the caller's choice; pieces in order, each with
 *                         its offset (0 when that is left out); no data: how
 *                         far is it? It can be gone on with for an hour; if the
 *                         chain was closed meanwhile, the end has to name the
 *                         hash (ate_body_hash()).
 *     ate.submit {proposal}
 *                         -> [{tx, index, receipt} or {tx, code, text}]
 *     ate.grant {to, rights [text], object? "type/key", act_for?, depth?,
 *                until?, under?}
 *                         -> "index.n"
 *     ate.revoke {grant "index.n"}
 *     ate.order {to}
 *     ate.rotate {keys [identity], threshold?, next? [identity],
 *                 next_threshold?}
 *     ate.bundle {bundle bin}, ate.activate {bundle? (hash)}
 *                         another schema: stored, and put in force
 *     ate.workers {worker?}
 *                         -> {done, failed, parked, failures [{worker, item,
 *                            outcome, code, text}]}: workers have worked, or
 *                            tried, once, what waits for them
 *     ate.retry {parked "index.n"}, ate.drop {parked "index.n"} */
ATE_API uint64_t ate_call(struct ate *ate, struct ate_port *port,
                          const struct ate_request *request);

/* Read what is durable. As ate_call(), but `method` is one of:
 *
 *     get {type, key}                               -> object      follows
 *     body {type, key, offset?, length?}            streams
 *     body {hash, offset?, length?}                 streams
 *     list {type, parent?, after?, limit?, order?}  streams        follows
 *     history {type, key, after?, limit?}           streams
 *     view {view, where?, after?, limit?, order?}   streams        follows
 *     sum {view, column, where?}                    -> amount
 *     call {method, args?}                          -> its result  follows
 *     info {state?: true}                           -> map
 *     schema {}                                     -> map
 *     source {version?}                             -> {modules, bundle, ...}
 *     source {module, version?}                     -> {source, bundle, ...}
 *     tail {from?, limit?}                          streams        follows
 *     grants {to?, all?, limit?, order?}            streams
 *     proposal {proposal}                           -> [transaction]
 *     plan {bundle bin}                             -> report
 *     verify {no_rules?: true}                      -> report
 *     files {name?, after?, limit?}                 streams
 *     file {name, offset?, length?}                 streams
 *     checkpoint {size?}                            -> {checkpoint, vkey, ...}
 *     proof {index, size?, checkpoint?}             -> {proof, ...}
 *     consistency {from, to?}                       -> {hashes [hex], ...}
 *     tile {level, index, width?}                   -> {data bin, width}
 *     check {checkpoint, index?, tx?}               -> {size, root, term, ...}
 *     workers {}                                    streams
 *     work {worker?, parked?: true, limit?}         streams
 *     trying {}                                     -> [{worker, item, step,
 *                                                    attempts, why?, in_ms?}]
 *
 * What streams sends one DATA a row, body up to 256 KiB of verified bytes;
 * verify and plan stream {done, total}, too. `files` are the chain's own,
 * {name, size}; `file` sends what one has on disk in chunks of bytes. `order`
 * is "first" or "last". `call` runs a method that reads, for `as` or `act_for`.
 * `source` tells the Lua that the chain keeps: {schema, version, bundle (its
 * hash, in hexadecimal, as root keys sign it), in_force, main, modules [{name,
 * file, bytes, sha256, standard?: true}]}; with `module` what is told of that
 * one instead, and its text as `source`. `version` is another than the one in
 * force: one that was, or that may be activated. `standard` are texts of ate's
 * own. With no_rules verify does not ask the rules, which are Lua. A checkpoint
 * is a C2SP signed note, its vkey the key that checks it; `proof` a file for
 * ate_proof(), of the log as large as `size` or as in `checkpoint`; the level
 * of a tile a number or "entries"; `check` says whether what others show is of
 * this chain.
 *
 * What follows takes {follow: true, from?: position}, too, but of list and view
 * no after, limit and order, and does not end by itself. A position is a size
 * of the log. Of tail each DATA is a transaction; that of index i is told up to
 * the position behind i. Of the others each DATA is a map:
 *
 *     at       the position up to which all is told with this chunk. Without
 *              it the chunk is a part, and the next ones belong to it
 *     changes  of list and view: [{put: row} or {gone: key}, ...], in order. A
 *              row that is put replaces the one of its key; `gone` may name one
 *              that was never put. Key: {id} of list, the key columns of view
 *     value    of get and call: what it is now
 *     gone     of get, true: the object was deleted, and the call ends
 *     reset    a text: what was told before counts no more, and all is told
 *              anew, from this chunk on
 *
 * Without `from` all there is comes first, else what changed since: whoever
 * stops at a position and goes on from it misses nothing and is told nothing
 * twice. From tail, list and get any position can be gone on from; from view
 * and call those whose changes are remembered (some thousand entries), else
 * there is a reset, or the value once more. From a position behind the log's
 * end a tail is NOT_FOUND, and the others begin with a reset. That comes, too,
 * after another schema came into force, and to who was so slow that what he has
 * not seen is forgotten. Nobody is told each state
 * between: it is the newest at the chunk's position. Who gives no credit costs
 * the chain nothing, one that nothing changed for next to nothing. A call ends
 * with NOT_FOUND when its object is deleted or another schema has its type,
 * view or method no more, with CANCELED or UNAVAILABLE when the folder is
 * closed, and with what is wrong with it when its chain is found damaged. A
 * method is run again when objects or rows it looked at changed; log time alone
 * is no change. */
ATE_API uint64_t ate_read(struct ate *ate, struct ate_port *port,
                          const struct ate_request *request);

/* Allow `chunks` more chunks of output. For a call that has ended it means
 * nothing, as does ate_cancel(). */
ATE_API void ate_grant(struct ate *ate, uint64_t call, uint32_t chunks);

/* Ask a call to end; its final answer still comes (CANCELED unless it was
 * done), behind chunks that were on their way. A write that has begun is not
 * undone. */
ATE_API void ate_cancel(struct ate *ate, uint64_t call);

/* Grows before anybody can see what it grows for: while it is the same, the
 * same get, list, history, view, sum or call of a method that reads, which
 * ended well, would end the same. So who kept an answer, and the number from
 * before it asked, knows whether that is still true. It takes no turn of the
 * engine and no system call. 0: not known here (another process writes): ask.
 */
ATE_API uint64_t ate_generation(const struct ate *ate);
/* The same of the read `schema`: it does not grow by what is written, but when
 * a chain is opened or gets another schema. */
ATE_API uint64_t ate_schema_generation(const struct ate *ate);

/* ---- what happens ---- */

/* From now on tell the port what happens here, for a log that people read: each
 * is an ATE_ANSWER_NOTICE (call 0) whose value is a map with `event`, and
 *
 *     opened   {chain, id, size}
 *     damaged  {chain, id, code, text}: it could not be opened, or only up to
 *              some place, or failed while it was open
 *     parked   {chain, worker, item, code, text}: a worker gave up
 *     failed   the same: it will be tried again
 *     refused  {code, text}: somebody who connected to DATA/socket
 *
 * No notice holds a key, a body or an argument. What nobody takes is dropped
 * when 1,024 wait. One port at a time: another takes its place.
 * Errors: UNAVAILABLE (it is remote: the process that serves knows). */
ATE_API int ate_watch(struct ate *ate, struct ate_port *port,
                      struct ate_error *error);

/* ---- services: what workers ask outside ---- */

/* From now on answer what workers ask the service `name`: each request comes to
 * the port as ATE_ANSWER_ASKED, a map {service, request, key (hex), chain,
 * worker}. It has been journaled; until an answer is, it comes again, after a
 * failure or in another process, with the same key: what has that key is done
 * once. Workers work where the folder is open for writing: while ate.workers is
 * called, and all the time when the folder is served (ate_listen()).
 * Errors: INVALID (read only; no name), UNAVAILABLE (it is remote). */
ATE_API int ate_provide(struct ate *ate, struct ate_port *port,
                        const char *name, struct ate_error *error);

/* The answer to `call`: one msgpack value; NULL: nil. Or `failure`: its code
 * says whether to ask again later (UNAVAILABLE, IO, CANCELED) or never. Once.
 */
ATE_API void ate_reply(struct ate *ate, uint64_t call,
                       const struct ate_error *failure, const void *answer,
                       size_t len);

/* Let workers ask the service `http`. `config` is a msgpack map: {hosts,
 * private?, ca?}, see docs/workers.md. Without it no host is asked.
 * Errors: INVALID, UNAVAILABLE (it is remote). */
ATE_API int ate_http(struct ate *ate, const void *config, size_t len,
                     struct ate_error *error);

/* Whether ate_http() takes that `config`. Errors: INVALID. */
ATE_API int ate_http_check(const void *config, size_t len,
                           struct ate_error *error);

/* ---- names ---- */

/* The candidate that somebody who mistyped `name` probably meant, borrowed, or
 * NULL: by the rule of the engine's own "did you mean". */
ATE_API const char *ate_near(const char *name, const char *const *candidates,
                             size_t count);

/* ---- schemas, without a node ---- */

/* Load FILE.lua and all that it requires (from its folder) in the sandbox, or a
 * schema that comes with ate, "ate:key_value" or "ate:ledger". `bundle` gets
 * the bytes for chain.create; `report`, unless NULL, a msgpack map {schema: as
 * `ate_read` schema gives it, hash: of the bundle, warnings: [text]}. Both are
 * freed by ate_free(), and empty after a failure.
 * Errors: SCRIPT and INVALID with file, line and path; NOT_FOUND; LIMIT. */
ATE_API int ate_bundle(const char *path, struct ate_bytes *bundle,
                       struct ate_bytes *report, struct ate_error *error);

/* ---- proofs, without a node ---- */

/* Check a file that proves a transaction, as read "proof" gives it, trusting
 * nothing but `vkey`, the key of its checkpoint; NULL: the order key that
 * genesis names. `report` gets a msgpack map, to be freed by ate_free(): kind
 * "proof", chain (id), name, index, size, root, tx, author, method, events
 * [{type, change, object, fields, ...}], signatures [{key, purpose, checked}],
 * author_checked, vkey, vkey_of_genesis, checkpoint. Fields are in stored form,
 * bytes as hexadecimal text. A receipt, as a write gives it, is taken, too:
 * kind "receipt", chain, index, size, root, tx, checkpoint, signed (a vkey was
 * given). Alone it proves nothing of the log: read "check" compares it. Errors:
 * CORRUPT (what does not fit, and where), INVALID (the vkey), LIMIT. */
ATE_API int ate_proof(const void *text, size_t len, const char *vkey,
                      struct ate_bytes *report, struct ate_error *error);

/* ---- bodies, without a node ---- */

/* The hash that a body has, read from the file descriptor to its end, and its
 * length: what `ate.put` compares at the end of a large one. `sealed`: its
 * pieces are. Errors: IO, LIMIT (larger than any body may be). */
ATE_API int ate_body_hash(int fd, int sealed, uint8_t hash[32],
                          uint64_t *length, struct ate_error *error);

#ifdef __cplusplus
}
#endif
#endif
