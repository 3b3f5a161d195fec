# ate: `make help` lists the targets. Everything that is built stands under $(B).
B        ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wvla
WITHOUT  ?=
HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong
PKGS     := libsodium libcrypto luajit libuv libutf8proc jansson libcurl libedit
# Frontends that are left out: make WITHOUT='fuse rest'
FUSE     := $(if $(filter fuse,$(WITHOUT)),,fuse3)
REST     := $(if $(filter rest,$(WITHOUT)),,libh2o libssl)

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(FUSE) $(REST) 2>/dev/null)
PKG_LIBS    = $(shell pkg-config --libs $(PKGS)) -lmsgpackc -lpthread -lm
DOOR_LIBS   = $(if $(FUSE),$(shell pkg-config --libs $(FUSE))) \
              $(if $(REST),$(shell pkg-config --libs $(REST)) -lwslay)
ALL_CFLAGS  = -std=gnu11 -fPIC -fvisibility=hidden -pthread $(CFLAGS) \
              $(HARDEN) $(WARNINGS) -MMD -MP $(PKG_CFLAGS) \
              $(WITHOUT:%=-DWITHOUT_%)

ENGINE   := $(sort $(shell find engine -name '*.c'))
FRONT    := $(filter-out $(if $(FUSE),,frontends/mount/%) \
             $(if $(REST),,frontends/rest/%),$(sort $(shell find frontends -name '*.c')))
DOOR     := $(filter-out %/mount.c %/notifier.c %/guard.c %/binding.c,$(wildcard frontends/mount/*.c))
SIM      := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c)))
TESTS_C  := $(sort $(wildcard tests/unit/test_*.c tests/sim/test_*.c))
FUZZERS  := $(filter-out $(if $(FUSE),,%/fuzz_door.c) $(if $(REST),,%/fuzz_rest.c),\
            $(sort $(wildcard tests/fuzz/fuzz_*.c)))
LUA      := $(sort $(shell find lua -type f))
SCHEMAS  := $(sort $(wildcard schemas/*.lua))
ENGINE_O := $(ENGINE:%.c=$(B)/%.o) $(B)/lua_assets.o
FRONT_O  := $(FRONT:%.c=$(B)/%.o) $(B)/frontend_assets.o
DOOR_O   := $(DOOR:%.c=$(B)/%.o)
MODULE_O := $(filter-out $(addprefix $(B)/frontends/,cli/% repl/% mount/% rest/%),\
             $(FRONT_O))
REST_PURE := $(patsubst %,frontends/rest/%.c,arguments ask buffer call_id cursor \
             message model openapi openapi_schema plan plan_calls plan_log \
             plan_types problem result target wire)
REST_BENCH := $(if $(REST),$(B)/ate $(B)/tests/bench/bare_h2o)
TESTS    := $(TESTS_C:tests/%.c=$(B)/tests/%)

all: $(B)/ate $(B)/libate.so $(B)/ate.so    ## build build/ate and build/libate.so

# Installing comes first, then a make of its own that finds what was installed.
run:                              ## install, build, keep the example books, open the REPL
	tests/install build
	$(MAKE) --no-print-directory run-now
run-now: all
	rm -rf $(B)/run && mkdir -p $(B)/run
	PATH="$(CURDIR)/$(B):$$PATH" examples/books/books \
	    /usr/share/doc/beancount/examples/example.beancount --data $(B)/run
	if [ -t 0 ] && [ -t 1 ]; then ATE_DATA=$(B)/run $(B)/ate repl; fi

test:                             ## install, build, run every test; T=name runs one
	tests/install build test
	$(MAKE) --no-print-directory -j2 test-build
	B=$(B) tests/run $(T)

test-build: all $(TESTS) $(B)/mutants/flags
soak: test-build                  ## the long versions of the random tests
	B=$(B) SOAK=20 tests/run $(T)

asan:                             ## the unit tests under the sanitizers
	$(MAKE) B=$(B)/asan HARDEN= CFLAGS='-O1 -g -fno-omit-frame-pointer \
	    -fsanitize=address,undefined -fno-sanitize-recover=undefined' asan-run
asan-run: $(TESTS)
	B=$(B) tests/run unit/ sim/

fuzz: $(FUZZERS:tests/%.c=$(B)/tests/%) ## each fuzz target for SECONDS=30
	for f in $^; do $$f -max_total_time=$(or $(SECONDS),30) || exit 1; done

bench:                            ## ratios against the machine's limits and a peer
	tests/install build bench
	$(MAKE) --no-print-directory $(B)/tests/bench/bench $(REST_BENCH)
	$(B)/tests/bench/bench
	$(if $(REST_BENCH),tests/bench/rest.sh $(B))
	$(if $(FUSE),$(MAKE) --no-print-directory bench-mount)

bench-mount: all
	$(MAKE) --no-print-directory $(B)/tests/bench/mount
	tests/bench/run-mount $(B) '$(FUSE)'

check: all                        ## formats, clang-tidy, cppcheck, luacheck, shellcheck, the seam
	tests/check $(B)

fmt:                              ## format all C
	clang-format -i $(shell git ls-files '*.c' '*.h')

install: all                      ## into $(PREFIX), $(LIBDIR), below $(DESTDIR)
	tools/install.sh $(B) '$(DESTDIR)' '$(PREFIX)' '$(LIBDIR)'

clean:                            ## remove what was built
	rm -rf $(B)

tools:                            ## install what fmt, check and fuzz need
	tests/install test tools

debug: $(B)/tests/$(T)            ## T=unit/test_x: open one test in gdb
	gdb --args $(B)/tests/$(T)

help:                             ## this list
	sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

# ---- how things are built ----

$(B)/ate: $(FRONT_O) $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(DOOR_LIBS) $(PKG_LIBS)
$(B)/libate.so: $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) -shared -Wl,-soname,libate.so -o $@ $^ $(PKG_LIBS)
$(B)/ate.so: $(MODULE_O) $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) -shared -o $@ $^ $(PKG_LIBS)

$(B)/lua_assets.c: tools/embed.sh $(filter lua/ate/% lua/ate.%,$(LUA)) $(SCHEMAS)
	mkdir -p $(@D)
	tools/embed.sh > $@.tmp && mv $@.tmp $@
$(B)/frontend_assets.c: tools/embed_frontends.sh $(filter-out lua/ate/% lua/ate.%,$(LUA)) $(SCHEMAS)
	mkdir -p $(@D)
	tools/embed_frontends.sh > $@.tmp && mv $@.tmp $@
$(B)/lua_assets.o: $(B)/lua_assets.c
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Iengine -c -o $@ $<
$(B)/frontend_assets.o: $(B)/frontend_assets.c
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Ifrontends -c -o $@ $<

$(B)/engine/%.o: engine/%.c
	mkdir -p $(@D)
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Iengine -c -o $@ $<
# Frontends see the public header alone.
$(B)/frontends/%.o: frontends/%.c $(B)/include/ate.h
	mkdir -p $(@D)
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Ifrontends -I$(B)/include -c -o $@ $<
$(B)/frontends/cli/main.o: $(B)/without
$(B)/without: FORCE
	mkdir -p $(@D)
	echo '$(WITHOUT)' | cmp -s - $@ || echo '$(WITHOUT)' >$@
$(B)/include/ate.h: engine/ate.h
	mkdir -p $(@D)
	cp $< $@

$(B)/tests/%.o: tests/%.c
	mkdir -p $(@D)
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Iengine -Itests -Ifrontends -c -o $@ $<
$(B)/libtest.a: $(ENGINE_O) $(DOOR_O) $(SIM:%.c=$(B)/%.o)
	rm -f $@ && ar rcs $@ $^
$(TESTS): %: %.o $(B)/libtest.a
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka
# How tests/mutants/run builds what a patch changes.
$(B)/mutants/flags: Makefile
	mkdir -p $(@D)
	echo "cc='$(CC)' ldflags='$(CFLAGS)'" >$@
	echo "compile='$(filter-out -W% -MMD -MP,$(ALL_CFLAGS)) -w -Iengine'" >>$@
	echo "link='$(PKG_LIBS) -lcmocka'" >>$@
$(B)/tests/bench/bare_h2o: $(B)/tests/bench/bare_h2o.o
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(REST_LIBS) $(PKG_LIBS)
$(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/libtest.a
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lsqlite3
# What of REST knows no socket; of the engine it needs names of codes alone.
$(B)/tests/fuzz/fuzz_rest: tests/fuzz/fuzz_rest.c $(REST_PURE) $(B)/libate.so
	mkdir -p $(@D)
	clang -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -Ifrontends \
	    -I$(B)/include $(PKG_CFLAGS) -o $@ $< $(REST_PURE) $(B)/libate.so \
	    -Wl,-rpath,$(abspath $(B)) $(PKG_LIBS)
$(B)/tests/fuzz/fuzz_door: MORE = $(DOOR)
$(B)/tests/fuzz/%: tests/fuzz/%.c $(ENGINE) $(DOOR) $(B)/lua_assets.c
	mkdir -p $(@D)
	clang -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -Iengine -Ifrontends \
	    -Itests $(PKG_CFLAGS) -o $@ $< $(ENGINE) $(MORE) $(B)/lua_assets.c $(PKG_LIBS)

.SECONDARY:
ifndef V
.SILENT:
endif
FORCE:
.PHONY: all run run-now test test-build soak asan asan-run fuzz bench bench-mount check fmt install clean \
    tools debug help
-include $(shell find $(B) -name '*.d' 2>/dev/null)
