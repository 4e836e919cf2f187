# What is claimed, measured beside named peers: a target each, figures in bench/RESULTS.md. `make test` builds all of it
# and runs a quick form of each (tests/live/test_bench.py).

BENCH_PACKAGES := libhiredis-dev redis-server libhnswlib-dev valgrind

.PHONY: deps-bench bench bench-vector bench-embed bench-tokens bench-prices bench-imports bench-quality bench-ledger bench-audit bench-report bench-route bench-map bench-batch bench-prefix bench-caches bench-compress bench-marks bench-prune bench-server
deps-bench: ; @sh tests/deps.sh $(PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES)

$(B)/bench_embed: bench/embed.c $(EMBED_OBJ)
$(B)/bench_tokens: bench/tokens.c $(TOKEN_OBJ)
$(addprefix $(B)/,bench_embed bench_tokens): ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)
$(B)/bench_call: bench/call.c $(static_obj)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -DSQLITE_CORE -o $@ $^ -lsqlite3 $(shell pkg-config --libs hiredis) $(LIBS)
ENGINE_OBJ = $(patsubst %.c,$(B)/so/%.o,$(filter vec/engine/%,$(SRC)))
$(B)/oracle: bench/oracle.c $(ENGINE_OBJ) ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $^ -lm
$(B)/bench_engine: bench/engine.c bench/data.c $(ENGINE_OBJ) bench/data.h
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) -lm
# The guard's file is compiled into the benchmark, which asks each of its rules alone.
GUARD_OBJ = $(patsubst %.c,$(B)/so/%.o,$(filter ext/base/%.c ext/core/guard/guard_%.c ext/core/words/%.c vec/embed/%.c vec/engine/kernels/vec.c,$(filter-out ext/base/sqlite/%,$(SRC))))
$(B)/bench_guard: bench/guard.c ext/core/guard/guard.c $(GUARD_OBJ)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -O3 -ffast-math -o $@ $< $(GUARD_OBJ) $(LIBS)
# Scorers and gates as they are shipped.
ROUTE_OBJ = $(patsubst %.c,$(B)/so/%.o,$(filter-out ext/base/sqlite/%,$(filter ext/base/%.c ext/core/answer/%.c ext/core/request/%.c ext/core/schema/%.c ext/core/route/%.c ext/core/gate/%.c vec/embed/%.c vec/engine/kernels/%.c,$(SRC)))) $(B)/so/sql_text.o
$(B)/bench_route: bench/route.c $(ROUTE_OBJ)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
# Compression, with tokens counted and sentences embedded as they are shipped.
COMPRESS_OBJ = $(patsubst %.c,$(B)/so/%.o,$(filter-out ext/base/sqlite/%,$(filter ext/base/%.c ext/core/ballast/%.c ext/core/compress/%.c ext/core/split/%.c ext/core/words/%.c ext/core/guard/%.c ext/core/route/%.c ext/core/tokens/%.c ext/core/names/%.c ext/core/request/%.c vec/embed/%.c vec/engine/kernels/vec.c,$(SRC)))) $(B)/so/sql_text.o
$(B)/bench_compress: bench/compress.c $(COMPRESS_OBJ)
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
$(B)/bench_map: bench/map.c
	@mkdir -p $(@D); echo "cc $@"; $(CC) $(CFLAGS) -std=c11 -D_GNU_SOURCE $(WARN) -o $@ $^ $(shell pkg-config --cflags --libs libcurl)
# The engine as it is shipped; the peers and the generator at their best on this machine.
$(B)/bench_data.o: bench/data.c bench/data.h
	@mkdir -p $(@D); echo "cc $@"; $(CC) -O3 -march=native -std=c11 -D_GNU_SOURCE -c -o $@ $<
$(B)/bench_vector: bench/vector.cc $(B)/bench_data.o $(ENGINE_OBJ)
	@echo "c++ $@"; $(CXX) -O3 -march=native -std=c++17 -Wall -Wextra -I. -o $@ $^ -lsqlite3 -lm
# (bench/vector.cc is written for x86-64.)
BENCHED = $(addprefix $(B)/,bench_call bench_compress bench_embed bench_tokens bench_engine bench_guard bench_map bench_route oracle \
          $(if $(filter x86_64,$(shell uname -m)),bench_vector))

bench: deps-bench ## measure beside bare libcurl and Redis
	$(call built,all $(B)/standin $(B)/bench_call)
	@sh bench/call.sh
bench-vector: deps-bench ## the semantic_cache table beside sqlite-vec, hnswlib and brute force
	$(call built,all $(B)/bench_vector)
	@sh bench/vector.sh && /usr/bin/python3 bench/partitions.py
bench-embed: deps-test ## the embedders beside ONNX Runtime
	$(call built,all minilm $(B)/bench_embed)
	@sh bench/embed.sh
bench-tokens: deps-test ## token counts beside js-tiktoken, gpt-tokenizer and tiktoken
	$(call built,all $(B)/token_lines $(B)/bench_tokens)
	@sh bench/tokens.sh
bench-prices: deps-test ## llm_cost beside genai-prices in Node
	$(call built,all)
	@/usr/bin/python3 bench/prices.py
bench-imports: deps-test ## llm_import beside ccusage over a gigabyte of logs, and 10,000 files
	$(call built,all)
	@/usr/bin/python3 bench/imports.py
bench-quality: deps-test ## right and wrong hits of cache policies, and the guard's rules
	$(call built,all minilm $(B)/bench_guard)
	@/usr/bin/python3 bench/quality.py && /usr/bin/python3 bench/guard.py
bench-ledger: deps-test ## the views of costs beside DuckDB over the same rows; CALLS=10000000
	$(call built,all)
	@/usr/bin/python3 bench/ledger.py $(or $(CALLS),1000000) && /usr/bin/python3 bench/ledger.py $(or $(CALLS),1000000) tickets
bench-audit: deps-test ## questions about spending (llm_drift, llm_advise, …) beside one pass of the sqlite3 shell; CALLS=1000000
	$(call built,all)
	@/usr/bin/python3 bench/audit.py $(or $(CALLS),1000000)
bench-report: deps-test ## the page of llm_report over a year of ten million calls, in a browser, beside a plain table; CALLS=10000000
	$(call built,all)
	@/usr/bin/python3 -W ignore bench/report.py $(or $(CALLS),10000000)
bench-route: deps-test ## scorers and gates on prompts sorted by hand and on outcomes of models
	$(call built,$(B)/bench_route)
	@/usr/bin/python3 bench/route.py
bench-compress: deps-test ## which facts survive compression, beside truncation and BM25 alone; tokens saved; MB/s
	$(call built,$(B)/bench_compress)
	@/usr/bin/python3 bench/compress.py
bench-map: deps-test ## llm_map beside bare libcurl multi, npm openai and a gateway; cached rows; a rate limit
	$(call built,all $(B)/standin $(B)/bench_map)
	@! command -v npm >/dev/null || /usr/bin/python3 tests/live/harness.py >/dev/null
	@/usr/bin/python3 bench/map.py
bench-batch: deps-test ## batches from a table beside npm openai: seconds, memory, rows a second inserted and settled
	$(call built,all $(B)/standin)
	@! command -v npm >/dev/null || /usr/bin/python3 tests/live/harness.py >/dev/null
	@/usr/bin/python3 bench/batch.py
bench-prefix: deps-test ## what the order of rows and fields is worth where a repeated prefix is billed less
	$(call built,all $(B)/standin $(B)/bench_map)
	@/usr/bin/python3 bench/prefix.py
bench-marks: deps-test ## what marks for Anthropic's cache cost and save in a day, set always and by themselves
	$(call built,all $(B)/standin)
	@/usr/bin/python3 bench/marks.py
bench-prune: deps-test ## conversations pruned in steps and at each turn, by tokens and by dollars where a prefix is read for less
	$(call built,all $(B)/standin)
	@/usr/bin/python3 bench/prune.py
bench-caches: deps-test ## exact, semantic, prompt-aware and prefix caches: what each answers, and what of it is wrong
	$(call built,all minilm $(B)/standin)
	@/usr/bin/python3 bench/caches.py
bench-server: deps-test ## calls, hits and lookups a second on a libSQL server's primary and replica beside plain SQLite
	$(call built,all $(B)/standin)
	@! command -v npm >/dev/null || /usr/bin/python3 tests/live/harness.py >/dev/null
	@/usr/bin/python3 -W ignore bench/server.py
