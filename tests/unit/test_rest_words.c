/* What the REST door has for itself, the engine lets no annotation begin with,
 * for it could never be called; and the reference says so. Runs in the root of
 * the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ate.h"
#include "rest/plan.h"

/* A schema with a method at that path: 0, or what is wrong with it. */
static int load(const char *path, struct ate_error *error)
{
    char name[] = "/tmp/ate-test-XXXXXX.lua";
    struct ate_bytes bundle = {0};
    int fd = mkstemps(name, 4);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fprintf(file,
            "local ate = require('ate')\n"
            "local words = ate.schema('words', {doc = 'W.', version = 1})\n"
            "words:method('m', {doc = 'M.', mode = 'write',\n"
            "    args = {a = ate.types.text({max = 9})}, rest = 'POST %s',\n"
            "    run = function() end})\n"
            "return words\n",
            path);
    assert_int_equal(fclose(file), 0);
    int rc = ate_bundle(name, &bundle, NULL, error);
    ate_free(&bundle);
    unlink(name);
    return rc;
}

static void no_annotation_begins_with_what_the_door_has(void **state)
{
    struct ate_error error;
    char path[64], says[64];
    (void)state;
    if (load("/other/{a}", &error) != 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; plan_word(i) != NULL; i++) {
        snprintf(path, sizeof(path), "/%s/{a}", plan_word(i));
        snprintf(says, sizeof(says), "begins with '%s'", plan_word(i));
        if (load(path, &error) == 0)
            fail_msg("%s can never be called", path);
        if (strstr(error.text, says) == NULL)
            fail_msg("%s", error.text);
    }
}

static void the_reference_lists_them(void **state)
{
    static const char begin[] = "First segments of\nannotations are none of `";
    char page[1 << 16];
    (void)state;
    FILE *file = fopen("docs/rest.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    char *list = strstr(page, begin);
    assert_non_null(list);
    list += strlen(begin);
    *strchr(list, '`') = '\0';
    size_t count = 0;
    for (char *word = strtok(list, " \n"); word != NULL;
         word = strtok(NULL, " \n"), count++) {
        size_t i = 0;
        while (plan_word(i) != NULL && strcmp(plan_word(i), word) != 0)
            i++;
        if (plan_word(i) == NULL)
            fail_msg("'%s' is none", word);
    }
    assert_null(plan_word(count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_annotation_begins_with_what_the_door_has),
        cmocka_unit_test(the_reference_lists_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
