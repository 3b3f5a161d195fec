/* Greet the world 100 times from each of 4 threads, and print the count.
 *     cc -pthread -Iengine examples/c/threads.c -Lbuild -late -lmsgpackc
 *     LD_LIBRARY_PATH=build ./a.out DATA # with a chain as in examples/hello */
#include <ate.h>
#include <msgpack.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t start(struct ate *, struct ate_port *,
                       const struct ate_request *);

/* Start calls, then take their answers, in whatever order, at a port of this
 * thread's own. `args` is msgpack: \201 a map of 1, \24N a text of N bytes. */
static void ask(struct ate *ate, start *how, int calls, const char *method,
                const char *args)
{
    struct ate_port *port = ate_port_new();
    struct ate_request request = {.chain = "hello", .method = method};
    struct ate_answer answer;
    request.args = args;
    request.args_len = strlen(args);
    for (int i = 0; i < calls; i++)
        how(ate, port, &request);
    for (; calls > 0; ate_free(&answer.value)) {
        msgpack_unpacked row = {0};
        ate_port_next(port, &answer, -1);
        const char *raw = (const char *)answer.value.data;
        if (answer.error.code != ATE_OK)
            fprintf(stderr, "%s\n", answer.error.text);
        if (answer.kind == ATE_ANSWER_FINAL)
            calls--; /* its value is the receipt of a write */
        else if (msgpack_unpack_next(&row, raw, answer.value.len, NULL) > 0)
            msgpack_object_print(stdout, row.data);
        msgpack_unpacked_destroy(&row);
    }
    ate_port_free(port);
}

static void *greet(void *ate)
{
    ask(ate, ate_call, 100, "greeting.append", "\201\242to\245world");
    return NULL;
}

int main(int argc, char **argv)
{
    struct ate *ate;
    struct ate_error error;
    pthread_t threads[4];
    if (ate_open(&ate, argc > 1 ? argv[1] : "", 0, &error) != 0)
        return fprintf(stderr, "%s\n", error.text), ate_code_exit(error.code);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, greet, ate);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ask(ate, ate_read, 1, "view", "\201\244view\245count");
    ate_close(ate);
    return 0;
}
