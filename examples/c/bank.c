/* Pay 1.00 from bob to eve, both accounts of mine, and print the balances.
 *     cc -Iengine examples/c/bank.c -Lbuild -late -lmsgpackc -o build/bank
 *     LD_LIBRARY_PATH=build build/bank DATA
 * after `ate chain create bank --schema examples/bank/bank.lua --data DATA` and
 * `ate call bank account.put name=bob owner=me --data DATA`; the same for eve.
 */
#include <ate.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t start(struct ate *, struct ate_port *,
                       const struct ate_request *);

/* Ask with a map of texts, "name", "value", and so on; print each row as it
 * comes, then how it ended. */
static int ask(struct ate *ate, struct ate_port *port, start *how,
               const char *method, size_t pairs, const char *const *texts)
{
    msgpack_sbuffer args = {0};
    msgpack_packer packer;
    struct ate_answer answer;
    msgpack_packer_init(&packer, &args, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, pairs);
    for (size_t i = 0; i < 2 * pairs; i++)
        msgpack_pack_str_with_body(&packer, texts[i], strlen(texts[i]));
    how(ate, port,
        &(struct ate_request){.chain = "bank",
                              .method = method,
                              .args = args.data,
                              .args_len = args.size});
    msgpack_sbuffer_destroy(&args);
    do {
        msgpack_unpacked value = {0};
        ate_port_next(port, &answer, -1);
        const char *raw = (const char *)answer.value.data;
        msgpack_unpack_next(&value, raw, answer.value.len, NULL);
        msgpack_object_print(stdout, value.data);
        printf("%s\n", answer.error.text);
        msgpack_unpacked_destroy(&value);
        ate_free(&answer.value);
    } while (answer.kind == ATE_ANSWER_DATA);
    return ate_code_exit(answer.error.code);
}

int main(int argc, char **argv)
{
    static const char *const pay[] = {"amount", "1",  "from",
                                      "bob",    "to", "eve"};
    static const char *const balance[] = {"view", "balance"};
    struct ate *ate;
    struct ate_error error;
    if (ate_open(&ate, argc > 1 ? argv[1] : "", 0, &error) != 0)
        return fprintf(stderr, "%s\n", error.text), ate_code_exit(error.code);
    struct ate_port *port = ate_port_new();
    int exit_code = ask(ate, port, ate_call, "transfer", 3, pay);
    ask(ate, port, ate_read, "view", 1, balance);
    ate_close(ate);
    ate_port_free(port);
    return exit_code;
}
