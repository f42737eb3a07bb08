# SPDX-License-Identifier: Apache-2.0
# Tests of schema/, portal/ and www/: one cmocka program a group of modules, and shell tests against the
# real programs.  All print TAP; "make golden" rewrites schema/golden.sql.
PORTAL_UNIT := route html tmpl sanity field token dns gate
$(foreach t,$(PORTAL_UNIT),$(eval $(call program,test_portal_$(t),tests/unit/test_$(t).c,$(portal_links),cmocka $(portal_pkgs),-lwslay -lpthread)))

$(eval $(call program,wsclient,tests/api/wsclient.c,$(LIBVE),json-c openssl libcurl,-lwslay))
$(eval $(call program,race,tests/schema/race.c,,libpq,-lpthread))

# It dies where it is told to (agent/libve/fail.h).
JOBD_FAILING := jobd_work.c jobd_drive.c
$(eval $(call program,ve-jobd-failing,$(addprefix portal/,$(filter-out $(JOBD_FAILING),$(portal_jobd))) \
	$(JOBD_FAILING:%=failing/portal/%) tests/agent/fail.c,$(portal_links),$(portal_pkgs),-lwslay))

# Benches
$(eval $(call program,bench_signup,tests/bench/signup.c,,libcurl libargon2,-lpthread))
$(eval $(call program,bench_echo,tests/bench/echo.c,,,))
BENCH_TOOLS += $(BUILD)/bin/bench_signup $(BUILD)/bin/bench_echo

PORTAL_TOOLS := $(addprefix $(BUILD)/bin/,wsclient race ve-agentd-fake ve-jobd-failing)
PORTAL_PROGRAMS := $(addprefix $(BUILD)/bin/,ve-portald ve-jobd ve-signer ve-keys ve-shell)
UNIT_TESTS += $(PORTAL_UNIT:%=$(BUILD)/bin/test_portal_%)
TEST_TOOLS += $(PORTAL_TOOLS) $(PORTAL_PROGRAMS)

check-portal-unit: $(PORTAL_UNIT:%=$(BUILD)/bin/test_portal_%)
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $^
check-schema: $(PORTAL_TOOLS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/schema/t*.sh)
check-portal: $(PORTAL_TOOLS) $(PORTAL_PROGRAMS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/api/t1*.sh)
check-www: $(PORTAL_PROGRAMS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/www/t*.sh)
# The story in a browser, the VE's kernel played; tests/guest has it on the real one.
check-story-fake: $(PORTAL_TOOLS) $(PORTAL_PROGRAMS)
	$(Q)BUILD=$(BUILD) prove tests/www/story-fake.sh
golden:
	$(Q)tests/schema/t0102-golden.sh --write

.PHONY: check-portal-unit check-schema check-portal check-www check-story-fake golden
