# SPDX-License-Identifier: Apache-2.0
LIBVE := agent/libve/libve.a
$(eval $(call archive,$(LIBVE),$(addprefix agent/libve/,err.c clean.c log.c buf.c)))
all: $(BUILD)/$(LIBVE)
