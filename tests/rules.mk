# SPDX-License-Identifier: Apache-2.0
# Guest programs: static, so that they run on the node and in any VE.  Those of the kernel's own selftests
# lie in the kernel room; tests/guest has what needs more than one room.
SELFTESTS := kernel/tree/tools/testing/selftests/ve
GUEST_NAMES := verun errno_test life_test
GUEST_PROGRAMS := $(GUEST_NAMES:%=build/guest/bin/%)
build/guest/bin/%: $(SELFTESTS)/%.c $(wildcard $(SELFTESTS)/*.h) $(SELFTESTS)/envlib.c kernel/tree/include/uapi/linux/ve.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -static -O2 -g -Wall -Wextra $(if $(DEV),-Werror) -I$(SELFTESTS) \
		-Ikernel/tree/include/uapi -o $@ $< $(SELFTESTS)/envlib.c

include $(wildcard tests/agent.mk tests/portal.mk)
