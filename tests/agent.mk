# SPDX-License-Identifier: Apache-2.0
# Tests of agent/: one cmocka program a module, and shell tests against the real programs.
AGENT_UNIT := json addr wire grant front ws
$(foreach t,$(AGENT_UNIT),$(eval $(call program,test_$(t),tests/unit/test_$(t).c,$(LIBVE),cmocka $(LIBVE_PKGS),$(LIBVE_LIBS))))
$(eval $(call program,test_lease,tests/unit/test_lease.c agent/lease.c agent/db.c,$(LIBVE),cmocka sqlite3 $(LIBVE_PKGS),$(LIBVE_LIBS)))
$(eval $(call program,test_ring,tests/unit/test_ring.c agent/ring.c,$(LIBVE),cmocka))
$(eval $(call program,test_screen,tests/unit/test_screen.c agent/screen.c,$(LIBVE),cmocka vterm))
$(eval $(call program,test_msg,tests/unit/test_msg.c agent/msg.c agent/name.c agent/bean.c,$(LIBVE),cmocka))
$(eval $(call program,test_bean,tests/unit/test_bean.c agent/bean.c,$(LIBVE),cmocka))
$(eval $(call program,test_agent_conf,tests/unit/test_agent_conf.c agent/conf.c,$(LIBVE),cmocka))
$(eval $(call program,test_agent_route,tests/unit/test_agent_route.c agent/route.c agent/name.c agent/bean.c,$(LIBVE),cmocka libmicrohttpd))
$(eval $(call program,test_lanes,tests/unit/test_lanes.c agent/lanes.c,$(LIBVE),cmocka))
$(eval $(call program,test_link,tests/unit/test_link.c agent/link.c agent/msg.c agent/bean.c,$(LIBVE),cmocka sqlite3 libmicrohttpd))
$(eval $(call program,test_tree,tests/unit/test_tree.c agent/tree.c agent/tree_pack.c agent/pack.c agent/unpack.c \
	agent/name.c agent/bean.c,$(LIBVE),cmocka zlib))
AGENT_UNIT_BINS := $(addprefix $(BUILD)/bin/test_,$(AGENT_UNIT) lease lanes link ring screen msg bean agent_conf agent_route tree)
UNIT_TESTS += $(AGENT_UNIT_BINS)

# The agent with a kernel of its own (tests/agent/fake_venv.c), and the tests' tool.  It dies where it is
# told to (agent/libve/fail.h), as does ve-agentd-failing on the real kernel.
FAILING := $(addprefix agent/,clock.c api_block.c op_run.c op.c observe.c db.c priv_addr.c priv_idle.c priv_pack.c priv_ve.c)
AGENT_FAILING := $(filter-out $(FAILING),$(AGENT_CORE)) $(FAILING:%=failing/%) tests/agent/fail.c
$(BUILD)/failing/%.o: %.c
	$(call say,CC,failing/$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -DVE_FAIL_POINTS -MMD -MP -c -o $@ $<
$(BUILD)/tests/agent/%.o $(BUILD)/failing/%.o: CPPFLAGS += -Ikernel/tree/include/uapi
$(BUILD)/tests/agent/fail.o: CPPFLAGS += -DVE_FAIL_POINTS
$(eval $(call program,ve-agentd-failing,$(AGENT_FAILING) $(AGENT_KERNEL),$(LIBVE),$(AGENT_PKGS),$(LIBVE_LIBS)))
$(eval $(call program,ve-agentd-fake,$(AGENT_FAILING) tests/agent/fake_venv.c tests/agent/fake_bean.c,$(LIBVE),$(AGENT_PKGS),$(LIBVE_LIBS)))
$(eval $(call program,t2tool,tests/agent/t2tool.c,$(LIBVE),$(LIBVE_PKGS),$(LIBVE_LIBS)))
AGENT_TOOLS := $(addprefix $(BUILD)/bin/,ve-agentd-fake ve-agentd-failing vectl t2tool)
TEST_TOOLS += $(AGENT_TOOLS)

# Benches
$(BUILD)/tests/bench/lease.o: CPPFLAGS += -Ikernel/tree/include/uapi
$(eval $(call program,bench_lease,tests/bench/lease.c agent/msg.c agent/bean.c,$(LIBVE),$(LIBVE_PKGS),$(LIBVE_LIBS)))
BENCH_TOOLS += $(BUILD)/bin/bench_lease

check-agent-unit: $(AGENT_UNIT_BINS)
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $^
check-agent-api: $(AGENT_TOOLS)
	$(Q)BUILD=$(BUILD) prove -e sh $(sort $(wildcard tests/api/t20*.sh))

.PHONY: check-agent-unit check-agent-api
