# SPDX-License-Identifier: Apache-2.0
LIBVE := agent/libve/libve.a
LIBVE_PKGS := openssl json-c libcurl
# libwslay of Debian 12 ships no .pc file
LIBVE_LIBS := -lwslay -lpthread
$(eval $(call archive,$(LIBVE),$(addprefix agent/libve/,err.c clean.c log.c buf.c \
	json.c json_scan.c json_out.c addr.c wire.c grant.c ws.c tls.c front.c front_pump.c \
	client.c client_sse.c stream.c),$(LIBVE_PKGS)))
all: $(BUILD)/$(LIBVE)
