# Fuzzing: tests/fuzz/fuzz_<target>.c are the targets, corpus/<target>/ what is kept, <target>.dict words.
#   make fuzz                    every target, FUZZ_SECONDS each, under clang's libFuzzer
#   make fuzz TARGET=usage       one
#   make fuzz-keep TARGET=usage  what was found worth keeping goes into the corpus, minimised
# `make test` runs the same targets for three seconds each on what is kept, compiled by $(CC) with driver.c.

FUZZ_PACKAGES := clang libclang-rt-14-dev
FUZZ_SECONDS  ?= 900
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TARGET  ?= $(FUZZ)
FUZZ_SRC := $(filter ext/base/% ext/core/% ext/wire/% ext/trust/% ext/work/files/% ext/work/prompts/nearness.c ext/work/prune/grounds.c ext/work/prune/order% ext/work/prune/turns_r% vec/%,$(SRC))
FUZZ_SAN := -O1 -g -DLLMCOST_CHECKS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

.PHONY: fuzz fuzz-keep deps-fuzz
deps-fuzz: ; @sh tests/deps.sh $(PACKAGES) $(FUZZ_PACKAGES)

# Of an archive a target takes what it needs.
$(B)/asan/fuzz.a: $(FUZZ_SRC:%.c=$(B)/asan/%.o) $(B)/asan/sql_text.o ; @rm -f $@; ar rcs $@ $^
$(B)/unit/fuzz_%: tests/fuzz/fuzz_%.c $(B)/unit/fuzz_driver.o $(B)/asan/fuzz.a tests/fuzz/fuzz.h
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -o $@ $(filter-out %.h,$^) -lsqlite3 $(LIBS)
$(B)/unit/fuzz_driver.o: tests/fuzz/driver.c tests/fuzz/fuzz.h
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -c -o $@ $<

# The same by clang. Warnings are gcc's affair.
$(B)/fuzz/%.o: %.c | deps-fuzz
	@mkdir -p $(@D); echo "clang $@"; clang $(ALL_CFLAGS) -w $(FUZZ_SAN) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
$(B)/fuzz/sql_text.o: $(B)/sql_text.c | deps-fuzz
	@mkdir -p $(@D); clang $(ALL_CFLAGS) -w $(FUZZ_SAN) -c $< -o $@
$(B)/fuzz/fuzz.a: $(FUZZ_SRC:%.c=$(B)/fuzz/%.o) $(B)/fuzz/sql_text.o ; @rm -f $@; ar rcs $@ $^
$(B)/fuzz/bin/%: $(B)/fuzz/tests/fuzz/fuzz_%.o $(B)/fuzz/fuzz.a
	@mkdir -p $(@D); echo "link $@"; clang $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ -lsqlite3 $(LIBS)
.SECONDARY: $(FUZZ:%=$(B)/fuzz/tests/fuzz/fuzz_%.o)

fuzz: $(TARGET:%=$(B)/fuzz/bin/%) ## look for inputs that break a parser: FUZZ_SECONDS for each, or for one TARGET
	@for t in $(TARGET); do sh tests/fuzz/fuzz.sh run $$t $(FUZZ_SECONDS) || exit 1; done
fuzz-keep: $(TARGET:%=$(B)/fuzz/bin/%) ## minimise what was found into tests/fuzz/corpus
	@for t in $(TARGET); do sh tests/fuzz/fuzz.sh keep $$t || exit 1; done
-include $(SRC:%.c=$(B)/fuzz/%.d) $(wildcard $(B)/fuzz/tests/fuzz/*.d)
