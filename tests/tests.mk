# Tests: unit (C, sanitized), sql (the plain shell), live (processes, faults, clients), fuzz, fault; and lint.

TEST_PACKAGES := $(DEMO_PACKAGES) libcmocka-dev libsimde-dev openssl nghttp2-proxy faketime chromium cmark-gfm poppler-utils
LINT_PACKAGES := clang-format cppcheck

.PHONY: deps-test deps-clients deps-lint test newcomer lint coverage covered
# Other people's clients, whose programs in sql/manual/clients.md are run where they are there.
CLIENT_PACKAGES := php-cli php-sqlite3 libdbd-sqlite3-perl ruby-sqlite3 libsqlite3-tcl python3-apsw r-cran-rsqlite \
                   libxerial-sqlite-jdbc-java golang-go golang-github-mattn-go-sqlite3-dev sqlite-utils
deps-clients: ## install the clients of other languages, for their tests
	@sh tests/deps.sh $(CLIENT_PACKAGES)
deps-test: ; @sh tests/deps.sh $(PACKAGES) $(TEST_PACKAGES)
deps-lint: ; @sh tests/deps.sh $(PACKAGES) $(LINT_PACKAGES)

STANDIN_LIBS = $(shell pkg-config --libs libmicrohttpd libcjson libxxhash) -lpthread -lm
$(B)/standin: $(wildcard tests/standin/*.c tests/standin/*.h)
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(CFLAGS) -std=c11 -D_GNU_SOURCE $(WARN) -o $@ $(filter %.c,$^) $(STANDIN_LIBS)

# What the unit tests link: all that knows neither SQLite nor curl.
PURE     := ext/base/% ext/core/% ext/wire/% ext/trust/headers/% ext/trust/hosts.c ext/trust/scrub.c vec/engine/% vec/embed/% vec/policy/% \
            vec/cache/state/settings.c ext/conn/settings.c $(addprefix ext/net/,decode.c header.c limits.c unpack.c) $(addprefix ext/work/files/,bytes.c found.c records.c) \
            ext/work/prompts/nearness.c $(addprefix ext/work/prune/,grounds.c order_force.c order_words.c orders.c turns_read.c turns_related.c)
IMPURE   := $(addprefix ext/base/sqlite/,args.c columns.c savepoint.c schema_watch.c select.c vtab.c)
UNIT_OF  := asan
UNIT     := $(patsubst %.c,$(B)/unit/%,$(notdir $(wildcard tests/unit/test_*.c)))
UNIT_OBJ := $(patsubst %.c,$(B)/$(UNIT_OF)/%.o,$(filter-out $(IMPURE),$(filter $(PURE),$(SRC)))) $(B)/$(UNIT_OF)/sql_text.o

vpath test_%.c tests/unit
$(B)/unit/test_%: test_%.c $(UNIT_OBJ) tests/unit/unit.h
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) $(shell pkg-config --cflags cmocka) -o $@ $(filter-out %.h,$^) \
	  $(shell pkg-config --libs cmocka) $(LIBS) $(WRAPPED)
$(B)/unit/test_nomem: WRAPPED = $(foreach f,malloc calloc realloc aligned_alloc strdup utf8proc_map pcre2_compile_8,-Xlinker --wrap=$f)
# What needs SQLite alone: linked with it, not loaded into it.
$(B)/unit/test_expression: ext/trust/sandbox/expression.c
$(B)/unit/test_expression: private ALL_CFLAGS += -DSQLITE_CORE
$(B)/unit/test_expression: private WRAPPED = -lsqlite3
# What needs all of the extension, linked with SQLite.
$(B)/unit/test_batches: $(SRC:%.c=$(B)/$(UNIT_OF)/%.o)
$(B)/unit/test_batches: private WRAPPED = -lsqlite3
# What asks the environment where its file may be.
$(B)/unit/test_spool: $(addprefix $(B)/$(UNIT_OF)/ext/,work/remote/spool.o trust/access.o trust/node/env.o)
# The AVX-512 and NEON kernels on any processor (SIMDe overflows where the instructions wrap).
$(B)/unit/test_kernels_simde: tests/unit/test_kernels.c $(wildcard vec/engine/kernels/kernels*.c) vec/engine/kernels/vec.c \
    $(addprefix $(B)/asan/ext/base/,buf.o error.o utf8.o text/decimal.o text/json.o text/text.o)
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -fno-sanitize=signed-integer-overflow -fwrapv -w -Wno-psabi -DVEC_SIMDE -mavx2 -mfma -Itests/unit \
	  $(shell pkg-config --cflags cmocka) -o $@ $^ $(shell pkg-config --libs cmocka) $(LIBS)

# Programs of the tests that print what the embedders and the encodings make of lines.
EMBED_OBJ = $(addprefix $(B)/so/vec/,engine/kernels/vec.o $(addprefix embed/,wordpiece.o static_rows.o static_embedder.o minilm.o minilm_kernels.o minilm_avx2.o))
TOKEN_OBJ = $(addprefix $(B)/so/ext/,$(addprefix core/tokens/,encoding.o bpe.o ranks.o pretokenize.o) base/text/text.o base/utf8.o base/buf.o)
$(B)/embed_lines: tests/unit/embed_lines.c $(EMBED_OBJ)
$(B)/token_lines: tests/unit/token_lines.c $(TOKEN_OBJ)
# One that sends requests: as it is released, for the memory that it takes, and sanitized.
NET_OBJ = $(addprefix ext/,$(addprefix net/,transport.o decode.o header.o kept.o limits.o unpack.o) $(addprefix base/,buf.o clock.o error.o hash.o utf8.o))
$(B)/transfer: tests/unit/transfer.c $(addprefix $(B)/so/,$(NET_OBJ))
$(B)/transfer_checked: tests/unit/transfer.c $(addprefix $(B)/asan/,$(NET_OBJ))
$(B)/transfer_checked: private ALL_CFLAGS += $(SANITIZE)
# Steps of batch APIs: with all of the extension, as it is released and sanitized, linked with SQLite.
$(B)/steps: tests/unit/steps.c $(so_obj)
$(B)/steps_checked: tests/unit/steps.c $(asan_obj)
$(B)/steps_checked: private ALL_CFLAGS += $(SANITIZE)
$(B)/steps $(B)/steps_checked: private LIBS += -lsqlite3
$(addprefix $(B)/,embed_lines token_lines transfer transfer_checked steps steps_checked): ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)

$(B)/embed_example: examples/embed.c libllmcost.a
	@echo "cc $@"; $(CC) $(CFLAGS) -std=c11 $(WARN) -Iext -o $@ $^ -lsqlite3 $(LIBS)

TESTED = $(B)/asan/llmcost.so $(B)/standin $(UNIT) $(FUZZ:%=$(B)/unit/fuzz_%) $(B)/unit/test_kernels_simde $(B)/fault $(B)/wall_clock.so \
         $(B)/embed_example $(B)/embed_lines $(B)/token_lines $(B)/transfer $(B)/transfer_checked $(B)/steps $(B)/steps_checked
test: deps-bench ## run every test; T="word ..." only those whose name holds one of the words
	$(call built,all $(TESTED) $(BENCHED))
	@! command -v npm >/dev/null || $(MAKE) -s minilm
	@/usr/bin/python3 tests/run.py $(T)

# Lines that the unit tests, the .sql files and some live tests run, by room: built apart from all else, in build/coverage.
coverage: deps-test ## which lines of each room the tests run; LINES=1: and which they don't
	$(call built,$(B)/standin)
	$(call built,B=build/coverage SO=build/coverage/llmcost.so SANITIZE= UNIT_OF=so CFLAGS='-O0 -g --coverage' covered)
	@/usr/bin/python3 tests/coverage.py $(if $(LINES),lines)
covered: $(SO) $(UNIT)

newcomer: ## README followed in a bare Debian 12, as root; FRESH=1: made anew
	@FRESH=$(FRESH) sh tests/newcomer.sh

lint: deps-lint ## clang-format, cppcheck, banned functions, rooms
	@sh tests/lint.sh
