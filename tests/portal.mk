# SPDX-License-Identifier: Apache-2.0
# Tests of schema/, portal/ and www/.  Targets: check-schema, check-portal (api), check-www.
# All print TAP; "make golden" rewrites schema/golden.sql.
PORTAL_UNITS := $(sort $(filter $(addprefix tests/unit/test_,$(addsuffix .c,conf ear field html passwd route sanity sshkey tmpl token url)),$(wildcard tests/unit/*.c)))

$(eval $(call program,ve-test-wsclient,tests/api/wsclient.c,$(LIBVE),json-c openssl libcurl,-lwslay))
$(eval $(call program,ve-test-race,tests/schema/race.c,,libpq,-lpthread))
$(BUILD)/tests/wsclient: $(BUILD)/bin/ve-test-wsclient
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(BUILD)/tests/race: $(BUILD)/bin/ve-test-race
	@mkdir -p $(@D)
	$(Q)cp $< $@

PORTAL_TOOLS := $(BUILD)/tests/wsclient $(BUILD)/tests/race
PORTAL_PROGRAMS := $(addprefix $(BUILD)/bin/,ve-portald ve-jobd ve-keys ve-shell)

check-schema: $(PORTAL_TOOLS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/schema/t*.sh)
check-portal: $(PORTAL_TOOLS) $(PORTAL_PROGRAMS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/api/t1*.sh)
check-www: $(PORTAL_PROGRAMS)
	$(Q)BUILD=$(BUILD) prove $(wildcard tests/www/t*.sh)
golden:
	$(Q)tests/schema/t0102-golden.sh --write

.PHONY: check-schema check-portal check-www golden
