# SPDX-License-Identifier: Apache-2.0
# Tests of agent/: one cmocka program a module, and shell tests against the real programs.
AGENT_UNIT := json addr wire grant front
$(foreach t,$(AGENT_UNIT),$(eval $(call program,test_$(t),tests/unit/test_$(t).c,$(LIBVE),cmocka $(LIBVE_PKGS),$(LIBVE_LIBS))))

check-agent-unit: $(AGENT_UNIT:%=$(BUILD)/bin/test_%)
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $^

.PHONY: check-agent-unit
