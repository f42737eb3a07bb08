# SPDX-License-Identifier: Apache-2.0
# One make for everything.  Each room says what it builds in its own rules.mk; nothing here recurses,
# except into the kernel's own tree.  Local settings go in config.mk (git-ignored), e.g.  DEV=1
-include config.mk

# Where mke2fs and its kind are; an ordinary user's PATH has it not.
export PATH := $(PATH):/usr/sbin:/sbin

CC         ?= gcc
PKG_CONFIG ?= pkg-config
V          ?= 0
SAN        ?=
BUILD      ?= build/$(if $(SAN),san,$(if $(DEV),dev,rel))
Q          := $(if $(filter 1,$(V)),,@)
say         = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

CPPFLAGS   += -D_GNU_SOURCE -I. -I$(BUILD)/gen $(if $(DEV)$(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS     += -std=gnu11 -g -O2 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
              -Wformat=2 -Wundef -Wvla -Wno-unused-parameter -fno-common -fstack-protector-strong
CFLAGS     += $(if $(DEV),-Werror) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LDFLAGS    += $(if $(SAN),-fsanitize=$(SAN)) -Wl,-z,relro,-z,now

all:

# program(name, sources, archives in the tree, pkg-config packages, other libraries)
define program
$(1)_OBJS := $$(patsubst %.c,$(BUILD)/%.o,$(2))
$$($(1)_OBJS): CPPFLAGS += $$(if $(4),$$(shell $(PKG_CONFIG) --cflags $(4)))
$(BUILD)/bin/$(1): $$($(1)_OBJS) $(3:%=$(BUILD)/%)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $$(if $(4),$$(shell $(PKG_CONFIG) --libs $(4))) $(5)
SRCS += $(2)
endef

# archive(file, sources, pkg-config packages)
define archive
$(patsubst %.c,$(BUILD)/%.o,$(2)): CPPFLAGS += $$(if $(3),$$(shell $(PKG_CONFIG) --cflags $(3)))
$(BUILD)/$(1): $$(patsubst %.c,$(BUILD)/%.o,$(2))
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
SRCS += $(2)
endef

ROOMS := kernel agent portal www schema tests provisioning
include $(wildcard $(ROOMS:%=%/rules.mk))

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(BUILD)/%.d,$(sort $(SRCS)))

# Layering, from what the compiler really read: libve sees nothing above it, and the two programs see
# each other only through libve.
lint-layers: all
	$(Q)! grep -lE '(^| )(agent/[a-z_]+\.h|portal/)' $(BUILD)/agent/libve/*.d || { echo 'libve reaches upward'; exit 1; }
	$(Q)! grep -lE '(^| )agent/[a-z_]+\.h' $(BUILD)/portal/*.d || { echo 'portal reaches into the agent'; exit 1; }

lint: lint-layers
	$(Q)tests/harness.sh begin; $(HARNESS) run $(LINTS)

help:
	@echo 'make run | stop          the whole product on this machine (NODES=n PORTALS=n EGRESS=1), and its end'
	@echo 'make test                everything that has to pass, from a fresh Debian 12'
	@echo 'make check               what needs no guest (T=name picks)'
	@echo 'make check-guest         kernel tests in QEMU guests (T=name picks)'
	@echo 'make check-story         the whole way in a browser, on the real stack'
	@echo 'make bench               side by side with peers, to build/bench/*.json (B=name picks of: $(BENCHES))'
	@echo 'make kernel | kernel-guards | kernel-debug | kernel-base | kernel-kunit'
	@echo 'make image guest         root images of nodes and of test guests'
	@echo 'make export              the kernel series for reviewers, in build/export'
	@echo 'make surface             rewrite docs/surface.md from a running VE; read the difference'
	@echo 'make views               rewrite docs/views.md from a running VE; read the difference'
	@echo 'make golden              rewrite schema/golden.sql; read the difference'
	@echo 'make install             DESTDIR, PREFIX; install-node and install-portal are its halves'
	@echo 'make deb                 Debian packages, in build/deb'
	@echo 'make check-debug         those of the debug kernel (make kernel-debug): KASAN, lockdep, failing allocations'
	@echo 'make scale               10,000 subscribers on 254 addresses (two hours)'
	@echo 'make test-long           what takes hours (T=name picks)'
	@echo 'make packages-build packages-run packages-test   what the others need (make run and make test install it themselves)'
	@echo 'make lint clean'
	@echo 'V=1 shows commands, DEV=1 makes warnings errors, SAN=address,undefined picks sanitizers'

clean:
	rm -rf build compile_commands.json

.PHONY: all clean lint lint-layers help
.DELETE_ON_ERROR:
.SECONDARY:
