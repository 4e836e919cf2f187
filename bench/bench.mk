# What is claimed, measured beside named peers: a target each, figures in bench/RESULTS.md.

BENCH_PACKAGES := libhiredis-dev redis-server libhnswlib-dev

.PHONY: deps-bench bench bench-vector bench-embed bench-tokens bench-prices bench-quality
deps-bench: ; @sh tests/deps.sh $(PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES)

$(B)/bench_embed: bench/embed.c $(EMBED_OBJ)
$(B)/bench_tokens: bench/tokens.c $(TOKEN_OBJ)
$(addprefix $(B)/,bench_embed bench_tokens): ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS)
$(B)/bench_call: bench/call.c $(static_obj) | deps-bench
	@echo "cc $@"; $(CC) $(ALL_CFLAGS) -DSQLITE_CORE -o $@ $^ -lsqlite3 $(shell pkg-config --libs hiredis) $(LIBS)
ENGINE_OBJ = $(patsubst %.c,$(B)/so/%.o,$(filter vec/engine/%,$(SRC)))
$(B)/oracle: bench/oracle.c $(ENGINE_OBJ) ; @echo "cc $@"; $(CC) $(ALL_CFLAGS) -o $@ $^ -lm

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
