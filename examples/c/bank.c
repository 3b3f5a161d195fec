/* Pay 1.00 from bob to eve, both accounts of mine, and print the balances.
 *     cc -Iengine examples/c/bank.c -Lbuild -late -lmsgpackc -o build/bank
 *     build/bank DATA
 * after `ate chain create bank --schema examples/bank/bank.lua --data DATA` and
 * `ate call bank account.put name=bob owner=me --data DATA`, and one for eve.
 */
#include <ate.h>
#include <msgpack.h>
#include <stdio.h>
#include <string.h>

/* A msgpack map of texts: "name", "value", "name", "value", ... */
static msgpack_sbuffer pack(size_t pairs, const char *const *texts)
{
    msgpack_sbuffer out = {0};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, pairs);
    for (size_t i = 0; i < 2 * pairs; i++)
        msgpack_pack_str_with_body(&packer, texts[i], strlen(texts[i]));
    return out;
}

/* Print each row as it comes, then how the call ended. */
static int finish(struct ate_port *port)
{
    struct ate_answer answer;
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
    static const char *const payment[] = {"amount", "1",  "from",
                                          "bob",    "to", "eve"};
    static const char *const balances[] = {"view", "balance"};
    struct ate *ate;
    struct ate_error error;
    if (ate_open(&ate, argc > 1 ? argv[1] : "", 0, &error) != 0)
        return fprintf(stderr, "%s\n", error.text), ate_code_exit(error.code);
    struct ate_port *port = ate_port_new();
    msgpack_sbuffer pay = pack(3, payment);
    msgpack_sbuffer view = pack(1, balances);
    ate_call(ate, port,
             &(struct ate_request){"bank", "transfer", pay.data, pay.size});
    int exit_code = finish(port);
    ate_read(ate, port,
             &(struct ate_request){"bank", "view", view.data, view.size});
    finish(port);
    ate_close(ate);
    ate_port_free(port);
    msgpack_sbuffer_destroy(&pay);
    msgpack_sbuffer_destroy(&view);
    return exit_code;
}
