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
# Canceling a thread would load it, when there may be no descriptor left.
GCC_S      := -Wl,--push-state,--no-as-needed -lgcc_s -Wl,--pop-state
DOOR_LIBS   = $(if $(FUSE),$(shell pkg-config --libs $(FUSE)) $(GCC_S)) \
              $(if $(REST),$(shell pkg-config --libs $(REST)) -lwslay)
ALL_CFLAGS  = -std=gnu11 -fPIC -fvisibility=hidden -pthread $(CFLAGS) \
              $(HARDEN) $(WARNINGS) -MMD -MP $(PKG_CFLAGS) \
              $(WITHOUT:%=-DWITHOUT_%)

ENGINE   := $(sort $(shell find engine -name '*.c'))
FRONT    := $(filter-out $(if $(FUSE),,frontends/mount/%) \
             $(if $(REST),,frontends/rest/%),$(sort $(shell find frontends -name '*.c')))
BASE     := $(sort $(wildcard frontends/base/*.c))
LUA      := $(sort $(shell find lua -type f))
SCHEMAS  := $(sort $(wildcard schemas/*.lua))
ENGINE_O := $(ENGINE:%.c=$(B)/%.o) $(B)/lua_assets.o
FRONT_O  := $(FRONT:%.c=$(B)/%.o) $(B)/frontend_assets.o $(if $(REST),$(B)/console_assets.o)
MODULE_O := $(filter-out $(addprefix $(B)/frontends/,cli/% repl/% mount/% rest/%)\
             $(B)/console_assets.o,$(FRONT_O))
WEB      := $(sort $(shell find frontends/console checker -type f 2>/dev/null))

all: $(B)/ate $(B)/libate.so $(B)/ate.so    ## build build/ate and build/libate.so

include tests/tests.mk

# Installing comes first, then a make of its own that finds what was installed.
run:                              ## install, build, keep the example books, serve them, open the REPL
	tests/install build
	$(MAKE) --no-print-directory run-now
run-now: all
	PATH="$(CURDIR)/$(B):$$PATH" tools/alone.sh $(B)/run sh -c 'examples/books/books \
	    /usr/share/doc/beancount/examples/example.beancount --data $(B)/run && \
	    exec tools/tour.sh $(B)/ate $(B)/run books/example balance commodity=GLD'

# What runs behind the suite: a part of it sanitized. CI has ALSO='asan without'.
ALSO ?= asan-short
test:                             ## install, build, run every test; T=name runs one
	tests/install build test
	$(MAKE) --no-print-directory -j2 test-build
	rm -f $(B)/tally
	B=$(B) TALLY=$(B)/tally tests/run $(T)
	$(if $(T),,for also in $(ALSO); do TALLY=$(CURDIR)/$(B)/tally \
	    $(MAKE) --no-print-directory -j2 $$also || exit 1; done)
	@$(if $(T),,awk '{p += $$1; f += $$2} END {print p " passed, " f " failed"}' $(B)/tally)

bench:                            ## ratios, in build/bench.json, too; BENCH=word: rows that match
	tests/install build bench
	$(MAKE) --no-print-directory bench-build
	tests/bench/run $(B) '$(FUSE)' '$(REST)'

check: all                        ## formats, clang-tidy, cppcheck, luacheck, shellcheck, the seam
	tests/check $(B)

web:                              ## fetch anew what the console takes from npm, as pinned
	tools/web.sh $(B)/web frontends/console/vendor

fmt:                              ## format all C
	clang-format -i $(shell git ls-files '*.c' '*.h')

install: all                      ## into $(PREFIX), $(LIBDIR), below $(DESTDIR)
	tools/install.sh $(B) '$(DESTDIR)' '$(PREFIX)' '$(LIBDIR)'

deb:                              ## Debian packages into $(B)/deb
	tests/install build deb
	tools/deb.sh $(B)

deb-test: deb                     ## install them in a fresh Debian, and look
	tests/deb $(B)/deb

clean:                            ## remove what was built
	rm -rf $(B)

tools:                            ## install what fmt, check and fuzz need
	tests/install test tools

debug: $(B)/tests/$(T)            ## T=unit/test_x: open one test in gdb
	gdb --args $(B)/tests/$(T)

help:                             ## this list
	sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile tests/tests.mk | expand -t 18

# ---- how things are built ----

$(B)/ate: $(FRONT_O) $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(DOOR_LIBS) $(PKG_LIBS)
$(B)/libate.so: $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libate.so -o $@ $^ $(PKG_LIBS)
$(B)/ate.so: $(MODULE_O) $(ENGINE_O)
	echo "  LD  $@"
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(PKG_LIBS)

$(B)/lua_assets.c: tools/embed.sh $(filter lua/ate/% lua/ate.%,$(LUA)) $(SCHEMAS)
	mkdir -p $(@D)
	tools/embed.sh > $@.tmp && mv $@.tmp $@
$(B)/frontend_assets.c: tools/embed_frontends.sh $(filter-out lua/ate/% lua/ate.%,$(LUA)) $(SCHEMAS)
	mkdir -p $(@D)
	tools/embed_frontends.sh > $@.tmp && mv $@.tmp $@
$(B)/console_assets.c: tools/embed_console.sh $(WEB)
	mkdir -p $(@D)
	tools/embed_console.sh > $@.tmp && mv $@.tmp $@
$(B)/lua_assets.o: $(B)/lua_assets.c
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Iengine -c -o $@ $<
$(B)/frontend_assets.o $(B)/console_assets.o: %.o: %.c
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

.SECONDARY:
ifndef V
.SILENT:
endif
FORCE:
.PHONY: all run run-now test test-build tests-only soak asan asan-short without tsan coverage \
    coverage-bounds fuzz bench bench-build check fmt install deb deb-test clean web tools debug help
-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
