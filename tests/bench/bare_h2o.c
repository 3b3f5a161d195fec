/* bare_h2o FILE: libh2o alone, as the REST door uses it, answering every
 * request with the bytes of FILE. It prints its port and runs until it is
 * ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <h2o.h>

static char *body;
static size_t body_len;
static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_ctx;

static int answer(h2o_handler_t *self, h2o_req_t *req)
{
    static h2o_generator_t generator = {NULL, NULL};
    (void)self;
    req->res.status = 200;
    req->res.reason = "OK";
    req->res.content_length = body_len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_iovec_t bytes = h2o_strdup(&req->pool, body, body_len);
    h2o_start_response(req, &generator);
    h2o_send(req, &bytes, 1, H2O_SEND_STATE_FINAL);
    return 0;
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *tcp = calloc(1, sizeof(*tcp));
    if (status != 0 || tcp == NULL)
        exit(1);
    uv_tcp_init(listener->loop, tcp);
    uv_accept(listener, (uv_stream_t *)tcp);
    uv_tcp_nodelay(tcp, 1);
    h2o_accept(&accept_ctx,
               h2o_uv_socket_create((uv_stream_t *)tcp, (uv_close_cb)free));
}

static void read_body(const char *path)
{
    FILE *file = fopen(path, "rb");
    body = malloc(1 << 20);
    if (file == NULL || body == NULL)
        exit(1);
    body_len = fread(body, 1, 1 << 20, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    static uv_tcp_t listener;
    struct sockaddr_in address;
    int len = sizeof(address);
    uv_loop_t *loop = uv_default_loop();
    if (argc != 2)
        return 2;
    read_body(argv[1]);
    h2o_config_init(&config);
    h2o_hostconf_t *host = h2o_config_register_host(
        &config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = answer;
    h2o_context_init(&context, loop, &config);
    accept_ctx.ctx = &context;
    accept_ctx.hosts = config.hosts;
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 512, on_connection) != 0)
        return 1;
    uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &len);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
