# SPDX-License-Identifier: Apache-2.0
IMAGE := build/image/node.img
IMAGE_DEPS := $(wildcard provisioning/image/build.sh provisioning/template/* provisioning/packages/node.txt \
              provisioning/packages/debian.txt) $(shell find provisioning/image/node -type f)

image: $(IMAGE)
$(IMAGE): $(IMAGE_DEPS)
	$(Q)provisioning/image/build.sh $@

# The root of test guests
GUEST := build/guest/initramfs.cpio.gz
guest: $(GUEST)
build/guest/gen_init_cpio: provisioning/image/gen_init_cpio.sh
	$(Q)provisioning/image/gen_init_cpio.sh $@
$(GUEST): build/guest/gen_init_cpio $(GUEST_PROGRAMS) tests/guest/init.sh provisioning/image/initramfs.sh \
          provisioning/template/tiny.sh provisioning/template/devices
	$(call say,CPIO,$@)
	$(Q)provisioning/image/initramfs.sh build/guest/gen_init_cpio $@ $(GUEST_PROGRAMS)

packages-%:
	$(Q)provisioning/packages/install.sh $*

run: 
	$(Q)provisioning/demo.sh run
stop:
	$(Q)provisioning/demo.sh stop

.PHONY: image guest run stop

# install: DESTDIR and PREFIX as usual; install-node and install-portal are the two machines' halves
PREFIX  ?= /usr
DESTDIR ?=
MAN8     = $(DESTDIR)$(PREFIX)/share/man/man8

install: install-node install-portal
install-node: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(MAN8) $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/vestibule
	$(Q)install -m 755 $(BUILD)/bin/ve-agentd provisioning/enrol/ve-enrol $(DESTDIR)$(PREFIX)/sbin/
	$(Q)install -m 755 $(BUILD)/bin/vectl $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 644 agent/ve-agentd.8 agent/vectl.8 provisioning/enrol/ve-enrol.8 $(MAN8)/
	$(Q)install -m 644 provisioning/systemd/ve-agentd.service provisioning/systemd/ve-halt.service $(DESTDIR)$(PREFIX)/lib/systemd/system/
	$(Q)install -m 755 provisioning/systemd/ve-halt $(DESTDIR)$(PREFIX)/lib/vestibule/
	$(Q)install -m 644 provisioning/systemd/vestibule-node.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/vestibule-node.conf
install-portal: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/vestibule $(MAN8) \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/share/vestibule/gateway
	$(Q)install -m 755 $(addprefix $(BUILD)/bin/,ve-portald ve-jobd ve-signer) $(DESTDIR)$(PREFIX)/sbin/
	$(Q)install -m 755 $(BUILD)/bin/ve-keys $(BUILD)/bin/ve-shell $(DESTDIR)$(PREFIX)/lib/vestibule/
	$(Q)install -m 644 portal/ve-portald.8 portal/ve-jobd.8 portal/ve-signer.8 portal/ve-keys.8 portal/ve-shell.8 $(MAN8)/
	$(Q)install -m 644 $(addprefix provisioning/systemd/,ve-portald.service ve-jobd.service ve-signer.service ve-gateway.service) \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/
	$(Q)install -m 755 provisioning/gateway/prepare $(DESTDIR)$(PREFIX)/lib/vestibule/gateway-prepare
	$(Q)install -m 644 provisioning/gateway/sshd_config provisioning/gateway/rules.conf \
		$(DESTDIR)$(PREFIX)/share/vestibule/gateway/
	$(Q)install -m 644 provisioning/systemd/vestibule-portal.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/vestibule-portal.conf
	$(Q)cp -r www schema provisioning/pki $(DESTDIR)$(PREFIX)/share/vestibule/

deb: all
	$(Q)provisioning/deb.sh node portal $(if $(wildcard build/kernel/prod/bzImage),kernel)

.PHONY: install install-node install-portal deb
