# Faults of the machine: see fault.c. `make test` takes a share of the places where one can strike.

$(B)/fault: tests/fault/fault.c tests/fault/inject.c tests/fault/inject.h
	@mkdir -p $(@D); echo "cc $@"; $(CC) -O1 -g -std=c11 -D_GNU_SOURCE $(WARN) -rdynamic -o $@ $(filter %.c,$^) -lsqlite3 -ldl
$(B)/wall_clock.so: tests/fault/wall_clock.c
	@mkdir -p $(@D); echo "cc $@"; $(CC) -O1 -g -std=c11 -D_GNU_SOURCE $(WARN) -shared -fPIC -o $@ $< -ldl

# FAULT_SHARE: how many places of a kind, once and from then on; 0, every one, takes hours.
test-faults: deps-test ## the whole of what make test samples: FAULT_SHARE=0, five minutes of kills and stops
	$(call built,all $(B)/standin $(B)/fault $(B)/wall_clock.so)
	@FAULT_SHARE=$${FAULT_SHARE-0} FAULT_STORM_SECONDS=$${FAULT_STORM_SECONDS-300} /usr/bin/python3 tests/run.py test_machine
.PHONY: test-faults
