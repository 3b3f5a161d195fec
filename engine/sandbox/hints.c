#include "sandbox/hints.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NO_PATTERN ": patterns can take for ever: use "
#define NO_CATCH                                                               \
    ": an error ends the run and undoes all of it: check with `if` before"
#define NO_CLOCK                                                               \
    ", as clocks differ between machines: use the log time, tx.time in a "     \
    "rule and ctx.time in a method"
#define NO_RANDOM                                                              \
    ", as every node has to get the same answer: let the caller pass what "    \
    "is random as an argument"
#define NO_LOAD ": `require` a module of the bundle"
#define NO_META ": use plain tables and functions"
#define NO_LIBM ", as its last digits differ between machines: use integers"
#define NO_THREAD ": use plain functions"
#define NO_IO                                                                  \
    ": code here reaches no file, network or terminal: use views, or a "       \
    "worker with a service of the host"

static const struct hint hints[] = {
    {"pairs", ", as its order differs between machines: use ate.each"},
    {"next", ", as its order differs between machines: use ate.each, or "
             "#list == 0 to see whether a list is empty"},
    {"pcall", NO_CATCH},
    {"xpcall", NO_CATCH},
    {"setmetatable", NO_META},
    {"getmetatable", NO_META},
    {"rawget", ": write t[k]"},
    {"rawset", ": write t[k] = v"},
    {"rawequal", ": write a == b"},
    {"rawlen", ": write #t"},
    {"getfenv", ": pass what a function needs as arguments"},
    {"setfenv", ": pass what a function needs as arguments"},
    {"_G", ": name the global itself"},
    {"_ENV", ": name the global itself"},
    {"load", NO_LOAD},
    {"loadstring", NO_LOAD},
    {"loadfile", NO_LOAD},
    {"dofile", NO_LOAD},
    {"module", ": return a table at the end of the file"},
    {"package", NO_LOAD},
    {"print", ": return a value from a method to see it"},
    {"collectgarbage", ": memory is given back after each run"},
    {"gcinfo", ": memory is given back after each run"},
    {"newproxy", NO_META},
    {"coroutine", NO_THREAD},
    {"debug", ": errors name file and line by themselves"},
    {"jit", ": code here is always interpreted"},
    {"ffi", ": use ate.int for integers and ate.text for bytes"},
    {"io", NO_IO},
    {"socket", NO_IO},
    {"os", NO_IO},
    {"os.time", NO_CLOCK},
    {"os.clock", NO_CLOCK},
    {"os.date", ": use ate.date, with the log time tx.time or ctx.time"},
    {"os.difftime", ": subtract the times, they are milliseconds"},
    {"os.getenv", ": use the caller's context, ctx.data"},
    {"math.random", NO_RANDOM},
    {"math.randomseed", NO_RANDOM},
    {"math.huge", ": say the bound you mean, such as ate.int.max"},
    {"math.pi", NO_LIBM},
    {"math.pow", ": use ate.int.pow"},
    {"math.sqrt", ": use integers"},
    {"math.exp", NO_LIBM},
    {"math.log", NO_LIBM},
    {"math.log10", NO_LIBM},
    {"math.sin", NO_LIBM},
    {"math.cos", NO_LIBM},
    {"math.tan", NO_LIBM},
    {"math.modf", ": use math.floor"},
    {"string.gsub", NO_PATTERN "string.split, string.find or ate.text.replace"},
    {"string.match", NO_PATTERN "string.find, string.split or tonumber"},
    {"string.gmatch", NO_PATTERN "string.split"},
    {"string.gfind", NO_PATTERN "string.split"},
    {"string.dump", ": functions can't become text here"},
    {"string.reverse", ": use string.byte and string.char"},
    {"string.pack", ": use string.char and string.byte"},
    {"string.unpack", ": use string.byte"},
    {"table.getn", ": write #list"},
    {"table.maxn", ": write #list"},
    {"table.foreach", ": use ate.each"},
    {"table.foreachi", ": use ipairs"},
    {"table.pack", ": write {...}"},
    {"table.move", ": copy in a `for` loop"},
    {"table.clear", ": make a new table"},
    {"bit.tohex", ": use string.format('%x', n)"},
    {"bit.bswap", ": use bit.rol and bit.band"},
    {"bit32", ": use bit"},
    {"utf8", ": use ate.text"},
    {"ate", ": write local ate = require('ate') at the top of the file"},
};

const struct hint *hint_find(const char *name)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strcmp(hints[i].name, name) == 0)
            return &hints[i];
    return NULL;
}

/* Members of what is absent as a whole have its hint: io.open has that of io.
 */
const char *hint_sentence(char *text, size_t cap, const char *name,
                          const char *member)
{
    char full[160];
    bool has_member = member != NULL && member[0] != '\0';

    snprintf(full, sizeof(full), "%s%s%s", name, has_member ? "." : "",
             has_member ? member : "");
    const struct hint *hint = hint_find(full);
    if (hint == NULL && has_member)
        hint = hint_find(name);
    if (hint == NULL && !has_member)
        snprintf(text, cap,
                 "`%s` is not declared: a global of this name does not exist",
                 full);
    else
        snprintf(text, cap, "`%s` is not available here%s", full,
                 hint == NULL ? "" : hint->text);
    return text;
}
