/* job: what an error of the disk says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "log/job.h"

static void ignore(struct job *job)
{
    assert_int_equal(job->error, 0);
}

static void failed_job_names_file_and_place(void **state)
{
    struct job job;
    struct err err;
    (void)state;

    job_init(&job, 0, ignore, NULL);
    job_size(&job, "a/1.head");
    job_write(&job, "a/1.head", 8192, bytes_of("x", 1));
    job_sync_folder(&job, "");
    job.error = ENOSPC;
    job.failed = 1;
    assert_int_equal(job_err(&job, &err), ATE_EFULL);
    assert_non_null(strstr(err.text, "a/1.head: write at offset 8192"));
    job.error = EIO;
    job.failed = 2;
    assert_int_equal(job_err(&job, &err), ATE_EIO);
    assert_non_null(strstr(err.text, "the data folder: sync of the folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_job_names_file_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
