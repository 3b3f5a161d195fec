/* Included before every source of `make asan`: what the leak sanitizer shall
 * not tell of, since libraries keep it and no call gives it back. In a header,
 * as specs clear the environment. */
#ifndef ATE_TESTS_SANITIZED_H
#define ATE_TESTS_SANITIZED_H

#define ATE_OF_SANITIZERS __attribute__((weak, used, visibility("default")))

ATE_OF_SANITIZERS const char *__lsan_default_options(void);
ATE_OF_SANITIZERS const char *__lsan_default_suppressions(void);

ATE_OF_SANITIZERS const char *__lsan_default_options(void)
{
    return "print_suppressions=0"; /* specs look at what is printed */
}

ATE_OF_SANITIZERS const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n" /* chunks of a thread that ended */
           "leak:wcsdup\n"                /* libedit: lines of its history */
           "leak:__argz_add_sep\n";       /* libc: where locales are */
}
#endif
