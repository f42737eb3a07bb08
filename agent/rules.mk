# SPDX-License-Identifier: Apache-2.0
LIBVE := agent/libve/libve.a
LIBVE_PKGS := openssl json-c libcurl
# libwslay of Debian 12 ships no .pc file
LIBVE_LIBS := -lwslay -lpthread
$(eval $(call archive,$(LIBVE),$(addprefix agent/libve/,err.c clean.c log.c buf.c \
	json.c json_scan.c json_out.c addr.c wire.c grant.c ws.c tls.c tls_pem.c tls_again.c front.c front_pump.c \
	client.c client_sse.c stream.c),$(LIBVE_PKGS)))
all: $(BUILD)/$(LIBVE)

# Everything of ve-agentd but what talks to the kernel; tests link this with a kernel of their own.
AGENT_CORE := $(addprefix agent/,main.c supervise.c keep.c fdstore.c part.c sandbox.c conf.c msg.c name.c bean.c \
	priv.c priv_ve.c priv_proc.c priv_addr.c priv_held.c priv_idle.c priv_limit.c priv_pack.c tree.c tree_pack.c pack.c unpack.c \
	api.c link.c http.c route.c api_node.c api_ve.c api_act.c api_term.c api_port.c api_block.c sse.c \
	db.c ve.c spec.c usage.c event.c lease.c op.c op_run.c observe.c open.c lanes.c clock.c idle.c porting.c pump.c openapi.c \
	term.c term_stream.c tty.c exec.c ring.c screen.c)
AGENT_KERNEL := $(addprefix agent/,venv.c venv_net.c venv_bean.c overlay.c cgroup.c confine.c netroute.c shape.c)
AGENT_PKGS := libmicrohttpd sqlite3 libseccomp vterm zlib $(LIBVE_PKGS)

$(patsubst %.c,$(BUILD)/%.o,$(AGENT_CORE) $(AGENT_KERNEL)): CPPFLAGS += -Ikernel/tree/include/uapi

# The contract travels in the program.
$(BUILD)/agent/openapi.o: agent/openapi.json

$(eval $(call program,ve-agentd,$(AGENT_CORE) $(AGENT_KERNEL),$(LIBVE),$(AGENT_PKGS),$(LIBVE_LIBS)))
all: $(BUILD)/bin/ve-agentd

$(eval $(call program,vectl,agent/vectl.c agent/vectl_term.c agent/vectl_limits.c agent/bean.c,$(LIBVE),$(LIBVE_PKGS),$(LIBVE_LIBS)))
all: $(BUILD)/bin/vectl
