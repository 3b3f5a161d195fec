#include "rest/meters.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ate.h"
#include "base/buffer.h"

static const double bounds[METER_BOUNDS] = {0.0005, 0.001, 0.005, 0.01,
                                            0.05,   0.1,   1,     10};

void meters_request(struct meters *m, int status, uint64_t duration_ns)
{
    double seconds = (double)duration_ns / 1e9;
    int digit = status / 100;
    size_t i = 0;
    m->requests[digit > 0 && digit < METER_STATUSES ? digit : 0]++;
    while (i < METER_BOUNDS && seconds > bounds[i])
        i++;
    m->durations[i]++;
    m->seconds += seconds;
}

static void put(struct buffer *out, const char *name, const char *kind,
                const char *help, uint64_t value)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name,
                  help, name, kind, name, value);
}

static void put_requests(const struct meters *m, struct buffer *out)
{
    buffer_text(out, "# HELP ate_rest_requests_total Requests answered, by the "
                     "class of their status.\n"
                     "# TYPE ate_rest_requests_total counter\n");
    for (int i = 1; i < METER_STATUSES; i++)
        buffer_printf(out,
                      "ate_rest_requests_total{status=\"%dxx\"} %" PRIu64 "\n",
                      i, m->requests[i]);
}

static void put_durations(const struct meters *m, struct buffer *out)
{
    const char *name = "ate_rest_request_duration_seconds";
    uint64_t sum = 0;
    buffer_printf(out,
                  "# HELP %s From a whole request to the end of its "
                  "answer.\n# TYPE %s histogram\n",
                  name, name);
    for (size_t i = 0; i < METER_BOUNDS; i++) {
        sum += m->durations[i];
        buffer_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                      bounds[i], sum);
    }
    sum += m->durations[METER_BOUNDS];
    buffer_printf(out,
                  "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9g\n"
                  "%s_count %" PRIu64 "\n",
                  name, sum, name, m->seconds, name, sum);
}

static void put_process(struct buffer *out)
{
    struct rusage use = {0};
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%*u %lu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    put(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
        (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
    getrusage(RUSAGE_SELF, &use);
    double seconds =
        (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
        (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    buffer_printf(out,
                  "# HELP process_cpu_seconds_total Time on processors.\n"
                  "# TYPE process_cpu_seconds_total counter\n"
                  "process_cpu_seconds_total %.6f\n",
                  seconds);
}

void meters_put(const struct meters *m, uint64_t under_way, uint64_t streams,
                struct buffer *out)
{
    buffer_printf(out,
                  "# HELP ate_build_info What runs.\n"
                  "# TYPE ate_build_info gauge\n"
                  "ate_build_info{version=\"%s\"} 1\n",
                  ATE_VERSION);
    put_requests(m, out);
    put_durations(m, out);
    put(out, "ate_rest_kept_total", "counter",
        "Requests answered without a call, as nothing had changed.", m->kept);
    put(out, "ate_rest_connections", "gauge", "Connections that are open.",
        m->connections);
    put(out, "ate_rest_connections_accepted_total", "counter",
        "Connections taken.", m->accepted);
    put(out, "ate_rest_connections_refused_total", "counter",
        "Connections turned away, as there were too many.", m->turned_away);
    put(out, "ate_rest_connections_stalled_total", "counter",
        "Connections cut off that did not take their answer.", m->stalled);
    put(out, "ate_rest_calls", "gauge", "Calls that the engine works at.",
        under_way);
    put(out, "ate_rest_streams", "gauge", "Event streams and web sockets.",
        streams);
    put(out, "ate_rest_messages_total", "counter",
        "Messages taken from web sockets.", m->messages);
    put_process(out);
}
