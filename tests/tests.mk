# How tests, fuzz targets and the benchmark are built, and their longer runs.
# Part of the Makefile above.
DOOR     := $(filter-out %/mount.c %/kernel.c %/device.c %/notifier.c %/guard.c %/place.c %/binding.c,$(wildcard frontends/mount/*.c))
SIM      := $(filter-out tests/sim/test_%,$(sort $(wildcard tests/sim/*.c)))
TESTS_C  := $(filter-out $(if $(FUSE),,%/test_mount_notifier.c %/test_mount_guard.c),\
            $(sort $(wildcard tests/unit/test_*.c tests/sim/test_*.c)))
FUZZERS  := $(filter-out $(if $(FUSE),,%/fuzz_door.c) $(if $(REST),,%/fuzz_rest.c),\
            $(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS  := $(FUZZERS:tests/fuzz/fuzz_%.c=$(B)/tests/replay/%)
DOOR_O   := $(patsubst %.c,$(B)/%.o,$(BASE) $(DOOR))
REST_PURE := $(patsubst %,frontends/rest/%.c,arguments ask base64url call_id chunks cursor \
             head message model openapi openapi_parts openapi_schema plan plan_calls plan_log \
             plan_types problem range result target wire)
BENCH_C  := $(filter-out %/mount.c %/bare_h2o.c,$(sort $(wildcard tests/bench/*.c)))
TESTS    := $(TESTS_C:tests/%.c=$(B)/tests/%)

test-build: all $(TESTS) $(REPLAYS) $(B)/mutants/flags
soak: test-build                  ## the long versions of the random tests
	B=$(B) SOAK=20 tests/run $(T)

# Programs of C run sanitized, and the specs drive a sanitized `ate`. The Lua of
# specs runs in Debian's luajit, which loads the plain module. A sanitized test
# takes 5 to 10 times the time: ROUNDS=1 shortens the simulations.
SANITIZE := -fno-omit-frame-pointer -fno-sanitize-recover=undefined -Wno-format-truncation
asan: all                         ## the whole suite under address, undefined, leak sanitizers
	$(MAKE) B=$(B)/asan HARDEN= \
	    CFLAGS='-O1 -g -fsanitize=address,undefined -include tests/sanitized.h $(SANITIZE)' \
	    $(B)/asan/ate $(or $(ASAN_C:%=$(B)/asan/tests/%),tests-only)
	B=$(B)/asan ROUNDS=1 tests/run $(or $(ASAN_C),unit/ sim/)
	B=$(B) ATE=$(CURDIR)/$(B)/asan/ate SANITIZED=1 tests/run $(ASAN_SPECS)
ASAN_C ?=
ASAN_SPECS ?= tests/system/
# The part of it that `make test` runs: what reads bytes of strangers, what owns
# memory by hand, and some of each layer.
asan-short: all
	$(MAKE) asan ASAN_C='$(SHORT_C)' ASAN_SPECS='$(SHORT_SPECS)'
SHORT_SPECS := tests/system/bank_spec
SHORT_C := $(addprefix unit/test_,msgpack header tx batch genesis note frame \
    net_frame proposal job log recover tree map arena lua_value sandbox submit order \
    puts script http disk) sim/test_log_faults
without:                          ## a build without fuse and rest, and the specs that know of it
	$(MAKE) B=$(B)/bare WITHOUT='fuse rest' test-build
	B=$(B)/bare tests/run $$(grep -lE 'is_without|left_out' tests/system/*_spec.lua)
tsan:                             ## what has threads, under the thread sanitizer
	$(MAKE) B=$(B)/tsan HARDEN= CFLAGS='-O1 -g -fsanitize=thread $(SANITIZE)' \
	    $(TSAN:%=$(B)/tsan/tests/%)
	B=$(B)/tsan tests/run $(TSAN)
TSAN := $(addprefix unit/test_,ate ate_serving remote server disk watchdog crew gather \
    $(if $(FUSE),mount_notifier))
# Two bounds for the core: engine/ without its drivers.
coverage:                         ## the core's lines and branches that tests reach, with bounds
	tests/install build test coverage
	$(MAKE) B=$(B)/coverage HARDEN= test-build \
	    CFLAGS='-O1 -g --coverage -fprofile-update=atomic -Wno-format-truncation'
	find $(B)/coverage -name '*.gcda' -delete
	B=$(B)/coverage ROUNDS=1 tests/run unit/ sim/ tests/lua/ tests/system/
	$(MAKE) --no-print-directory B=$(B)/coverage coverage-bounds
coverage-bounds:
	gcovr -r . $(B) --object-directory $(B) --exclude-unreachable-branches -s \
	    $(foreach l,$(CORE),-f engine/$(l)/) --fail-under-line 90 --fail-under-branch 80
CORE := base crypto event log schema state acceptance upload materializers chain query \
    sandbox declare script node net
tests-only: $(TESTS) $(REPLAYS)

FUZZ ?= fuzz_
FUZZED = $(foreach f,$(FUZZERS:tests/%.c=$(B)/tests/%),$(if $(findstring $(FUZZ),$f),$f))
fuzz: $(FUZZED)                   ## each fuzz target for SECONDS=30; FUZZ=word: those that match
	for f in $^; do n=$${f##*fuzz_}; mkdir -p $(B)/corpus/$$n; \
	    $$f -max_total_time=$(or $(SECONDS),30) -artifact_prefix=$(B)/corpus/ \
	    $(B)/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done

bench-build: all $(B)/tests/bench/bench $(if $(FUSE),$(B)/tests/bench/mount) \
    $(if $(REST),$(B)/tests/bench/bare_h2o)

# ---- how they are built ----

$(B)/tests/%.o: tests/%.c
	mkdir -p $(@D)
	echo "  CC  $@"
	$(CC) $(ALL_CFLAGS) -Iengine -Itests -Ifrontends -c -o $@ $<
$(B)/libtest.a: $(ENGINE_O) $(DOOR_O) $(SIM:%.c=$(B)/%.o)
	rm -f $@ && ar rcs $@ $^
$(TESTS): %: %.o $(B)/libtest.a
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(B)/libtest.a $(PKG_LIBS) -lcmocka
$(B)/tests/unit/test_chunks: $(B)/frontends/rest/chunks.o
$(B)/tests/unit/test_mount_notifier: $(B)/frontends/mount/notifier.o
$(B)/tests/unit/test_mount_guard: $(B)/frontends/mount/guard.o
$(B)/tests/unit/test_rest_words: $(REST_PURE:%.c=$(B)/%.o)
# How tests/mutants/run builds what a patch changes.
$(B)/mutants/flags: Makefile
	mkdir -p $(@D)
	echo "cc='$(CC)' ldflags='$(CFLAGS)'" >$@
	echo "compile='$(filter-out -W% -MMD -MP,$(ALL_CFLAGS)) -w -Iengine'" >>$@
	echo "link='$(PKG_LIBS) -lcmocka'" >>$@
$(B)/tests/bench/bare_h2o: $(B)/tests/bench/bare_h2o.o
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(DOOR_LIBS) $(PKG_LIBS)
$(B)/tests/bench/bench: $(BENCH_C:%.c=$(B)/%.o) $(B)/libtest.a
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^ $(PKG_LIBS) -lsqlite3 -lcmocka
$(B)/tests/bench/mount: $(B)/tests/bench/mount.o
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $^
# The fuzz targets twice: with the fuzzer, and with a main that replays files.
# Of REST there is what knows no socket; args is the command line's Lua.
$(B)/tests/replay/rest: $(REST_PURE:%.c=$(B)/%.o)
$(B)/tests/replay/args: $(MODULE_O)
$(REPLAYS): $(B)/tests/replay/%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/libtest.a
	mkdir -p $(@D)
	echo "  LD  $@"
	$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(B)/libtest.a $(PKG_LIBS) -lcmocka
$(B)/fuzz/%.o: %.c $(B)/include/ate.h
	mkdir -p $(@D)
	clang -std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -MMD -MP \
	    -Iengine -Ifrontends -Itests $(PKG_CFLAGS) -c -o $@ $<
$(B)/tests/fuzz/fuzz_rest: $(patsubst %.c,$(B)/fuzz/%.o,$(BASE) $(REST_PURE))
$(B)/tests/fuzz/fuzz_door: $(patsubst %.c,$(B)/fuzz/%.o,$(BASE) $(DOOR))
$(B)/tests/fuzz/fuzz_args: $(patsubst $(B)/%,$(B)/fuzz/%,$(filter $(B)/frontends/%,$(MODULE_O))) \
    $(B)/fuzz/$(B)/frontend_assets.o
$(B)/tests/fuzz/fuzz_%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(ENGINE:%.c=$(B)/fuzz/%.o) \
    $(B)/fuzz/$(B)/lua_assets.o
	mkdir -p $(@D)
	clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS) -lcmocka

