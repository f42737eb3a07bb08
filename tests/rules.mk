# SPDX-License-Identifier: Apache-2.0
# Guest programs: static, so that they run on the node and in any VE.  Those of the kernel's own selftests
# lie in the kernel room; tests/guest has what needs more than one room.
SELFTESTS := kernel/tree/tools/testing/selftests/ve
GUEST_NAMES := verun errno_test life_test net_test failnth_test churn_test fuzz_test ub_test ub_memory_test ub_call_test ub_eat shared_test \
	shared_eat view_test
GUEST_PROGRAMS := $(GUEST_NAMES:%=build/guest/bin/%)
SELFTEST_PARTS := $(addprefix $(SELFTESTS)/,envlib.c eater.c eat.c)
build/guest/bin/%: $(SELFTESTS)/%.c $(wildcard $(SELFTESTS)/*.h) $(SELFTEST_PARTS) kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra -Wno-missing-field-initializers $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTEST_PARTS)

# Isolation tests: put into a guest by the tests that run them
ISOLATION := tests/guest/isolation
ISO_NAMES := $(filter-out iso,$(basename $(notdir $(wildcard $(ISOLATION)/*.c))))
ISO_PROGRAMS := $(ISO_NAMES:%=build/guest/bin/iso_%)
build/guest/bin/iso_%: $(ISOLATION)/%.c $(wildcard $(ISOLATION)/iso.*) $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c \
		kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra -Wno-missing-field-initializers $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-I$(ISOLATION) -Ikernel/tree/include/uapi -o $@ $< $(ISOLATION)/iso.c $(SELFTESTS)/envlib.c

# What a VE may do, printed by the running kernel
build/guest/gen/names.h: tests/guest/surface/names.sh kernel/tree/include/linux/ve_syscall.h $(wildcard kernel/patches/*)
	@mkdir -p $(@D)
	$(Q)$< >$@.new && mv $@.new $@
build/guest/bin/surface: tests/guest/surface/surface.c build/guest/gen/names.h $(wildcard $(ISOLATION)/iso.*) $(SELFTESTS)/envlib.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra -Wno-missing-field-initializers $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-I$(ISOLATION) -Ibuild/guest/gen -Ikernel/tree/include/uapi -o $@ $< $(ISOLATION)/iso.c $(SELFTESTS)/envlib.c
surface: build/guest/bin/surface $(GUEST)
	$(Q)tests/guest/t4004-surface.sh --write

# The agent's classes of bandwidth on a kernel that has them
build/guest/bin/shape: tests/guest/shape.c agent/shape.c agent/shape.h agent/msg.h agent/bean.h $(wildcard agent/libve/*.[ch])
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -static -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(DEV),-Werror) -o $@ $< agent/shape.c \
		$(addprefix agent/libve/,log.c err.c clean.c)

# The agent's weights of a disk on a kernel that has them
build/guest/bin/disk: tests/guest/disk.c agent/cgroup.c agent/cgroup.h agent/msg.h agent/bean.h $(wildcard agent/libve/*.[ch]) \
		$(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -static -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< agent/cgroup.c $(addprefix agent/libve/,log.c err.c clean.c) $(SELFTESTS)/envlib.c

# What a VE is told about itself, tried
build/guest/bin/views: tests/guest/views/views.c $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra -Wno-missing-field-initializers $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTESTS)/envlib.c -lm -pthread
views: build/guest/bin/views $(GUEST)
	$(Q)tests/guest/t5005-views.sh --write

# The node's table of nft, tried from VEs
build/guest/bin/firewall: tests/guest/firewall.c $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra -Wno-missing-field-initializers $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTESTS)/envlib.c

# A capped VE and the locks of the node
build/guest/bin/cap: tests/guest/cap.c $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTESTS)/envlib.c

# Guest programs of benches; they are put into a guest, not built into it
build/guest/bin/bench_%: tests/bench/%.c $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h agent/shape.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -static -O2 -g -Wall -Wextra $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTESTS)/envlib.c -lm -pthread
build/guest/bin/bench_first: tests/bench/first.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -Os -Wall -Wextra -ffreestanding -fno-stack-protector -nostdlib -static -Wl,-z,noseparate-code \
		-Wl,--build-id=none -o $@ $<
build/guest/bin/bench_bandwidth: tests/bench/bandwidth.c agent/shape.c agent/shape.h $(wildcard agent/libve/*.[ch]) $(SELFTESTS)/envlib.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -static -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< agent/shape.c $(addprefix agent/libve/,log.c err.c clean.c) $(SELFTESTS)/envlib.c -lm
# It speaks to the agent's part priv
build/guest/bin/bench_idle: tests/bench/idle.c agent/msg.c agent/msg.h agent/bean.c agent/bean.h $(wildcard agent/libve/*.[ch]) \
		$(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -I. -static -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< agent/msg.c agent/bean.c $(addprefix agent/libve/,log.c err.c clean.c buf.c) \
		$(SELFTESTS)/envlib.c
BENCH_TOOLS += $(addprefix build/guest/bin/bench_,start first overhead fair neighbour idle bandwidth)

UNIT_TESTS :=
include $(wildcard tests/agent.mk tests/portal.mk)

# What needs no guest.  check-units leaves counting to who calls it; T=name picks by a part of the name.
HARNESS := BUILD=$(BUILD) tests/harness.sh
T       ?=
only     = $(if $(T),$(foreach f,$(1),$(if $(findstring $(T),$(f)),$(f))),$(1))
LINTS   := $(wildcard tests/lint/t*.sh)
# most of a shell test is waiting for programs
CHECK_JOBS ?= $(shell echo $$(($$(nproc) * 2)))
SHELLS  := $(filter-out %-lib.sh,$(wildcard tests/schema/t*.sh tests/api/t*.sh tests/www/t*.sh))
check: all
	$(Q)tests/harness.sh begin
	$(Q)$(MAKE) -s check-units; rc=$$?; tests/harness.sh summary && exit $$rc
check-units: all lint-layers $(UNIT_TESTS) $(TEST_TOOLS)
	$(Q)JOBS=$(CHECK_JOBS) $(HARNESS) run $(call only,$(SHELLS) $(LINTS) $(UNIT_TESTS))

# Those of the debug kernel (make kernel-debug) by themselves: it takes longer to build than all the rest
DEBUG_TESTS := $(wildcard tests/guest/t*-debug-*.sh)
GUEST_TESTS := $(filter-out $(DEBUG_TESTS),$(wildcard tests/guest/t[0-8]*.sh))
GUEST_PARTS = guest $(ISO_PROGRAMS) build/guest/bin/surface build/guest/bin/shape build/guest/bin/cap build/guest/bin/firewall build/guest/bin/views build/guest/bin/disk build/guest/bin/bench_bandwidth $(TEST_TOOLS)
# T=knockout is of the long ones
KNOCKOUT := tests/long/t4003-knockout.sh
check-guest: kernel $(if $(findstring debug,$(T)),kernel-debug) $(GUEST_PARTS)
	$(Q)TEST_TIMEOUT=$(or $(TEST_TIMEOUT),$(if $(findstring knockout,$(T)),7200,900)) \
		$(HARNESS) run $(call only,$(GUEST_TESTS) $(if $(T),$(DEBUG_TESTS) $(KNOCKOUT)))
check-debug: kernel-debug $(GUEST_PARTS)
	$(Q)$(HARNESS) run $(call only,$(DEBUG_TESTS))
check-story: all
	$(Q)$(HARNESS) run $(call only,$(wildcard tests/guest/t9*.sh))
test:
	$(Q)tests/all.sh

# What takes hours.
LONGS   := $(wildcard tests/long/t*.sh)
test-long: all kernel kernel-debug $(TEST_TOOLS) $(GUEST_PARTS)
	$(Q)TEST_TIMEOUT=$(or $(TEST_TIMEOUT),14400) $(HARNESS) run $(call only,$(LONGS))

# 10,000 subscribers on 254 addresses, 100,000 leases; check-guest has two minutes of it.
scale:
	$(Q)provisioning/packages/install.sh build run test
	$(Q)$(MAKE) -s all kernel $(GUEST) $(TEST_TOOLS)
	$(Q)BUILD=$(BUILD) tests/scale/subscribers

# Side by side with peers; B=name runs one.  BENCH_TOOLS are built first.
B       ?=
BENCHES := $(patsubst tests/bench/%.sh,%,$(wildcard tests/bench/*.sh))
bench:
	$(Q)provisioning/packages/install.sh build run test bench
	$(Q)$(MAKE) -s all kernel $(GUEST) $(BENCH_TOOLS) $(TEST_TOOLS)
	$(Q)BUILD=$(BUILD) tests/bench/run $(or $(B),$(BENCHES))

.PHONY: scale surface views check check-units check-guest check-debug check-story test test-long bench
