# SPDX-License-Identifier: Apache-2.0
# Tests of agent/: one cmocka program a module, and shell tests against the real programs.
AGENT_UNIT := json addr wire grant front
$(foreach t,$(AGENT_UNIT),$(eval $(call program,test_$(t),tests/unit/test_$(t).c,$(LIBVE),cmocka $(LIBVE_PKGS),$(LIBVE_LIBS))))

check-agent-unit: $(AGENT_UNIT:%=$(BUILD)/bin/test_%)
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $^

.PHONY: check-agent-unit

# The agent with a kernel of its own (tests/agent/fake_venv.c).
$(BUILD)/tests/agent/%.o: CPPFLAGS += -Ikernel/tree/include/uapi
$(eval $(call program,ve-agentd-fake,$(AGENT_CORE) tests/agent/fake_venv.c,$(LIBVE),$(AGENT_PKGS),$(LIBVE_LIBS)))
$(eval $(call program,t2tool,tests/agent/t2tool.c,$(LIBVE),$(LIBVE_PKGS),$(LIBVE_LIBS)))
