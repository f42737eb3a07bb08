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
          provisioning/template/tiny.sh provisioning/template/names provisioning/template/devices
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

# Units and scripts name programs where they lie under /usr
here = sed 's,/usr/\(sbin/ve-\|lib/vestibule\|share/vestibule\),$(PREFIX)/\1,g'

install: install-node install-portal
	@echo 'next: systemd-sysusers && systemctl daemon-reload; docs/install.md says what stands in the configuration'
install-node: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(MAN8) $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/vestibule $(DESTDIR)$(PREFIX)/share/vestibule/template
	$(Q)install -m 755 $(BUILD)/bin/ve-agentd provisioning/enrol/ve-enrol $(DESTDIR)$(PREFIX)/sbin/
	$(Q)install -m 755 $(BUILD)/bin/vectl $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 644 agent/ve-agentd.8 agent/vectl.8 provisioning/enrol/ve-enrol.8 provisioning/template/ve-template.8 $(MAN8)/
	$(Q)for u in ve-agentd ve-halt ve-node; do \
		$(here) provisioning/systemd/$$u.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$u.service || exit; done
	$(Q)install -m 755 provisioning/systemd/ve-halt $(DESTDIR)$(PREFIX)/lib/vestibule/
	$(Q)for s in prepare firewall; do install -m 755 provisioning/node/$$s $(DESTDIR)$(PREFIX)/lib/vestibule/node-$$s || exit; done
	$(Q)$(here) provisioning/template/ve-template >$(DESTDIR)$(PREFIX)/sbin/ve-template && chmod 755 $(DESTDIR)$(PREFIX)/sbin/ve-template
	$(Q)install -m 755 $(addprefix provisioning/template/,tiny.sh debian.sh names digest.sh) $(DESTDIR)$(PREFIX)/share/vestibule/template/
	$(Q)install -m 644 provisioning/template/devices provisioning/packages/debian.txt $(DESTDIR)$(PREFIX)/share/vestibule/template/
	$(Q)install -m 644 provisioning/systemd/vestibule-node.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/vestibule-node.conf
install-portal: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/vestibule $(MAN8) \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/share/vestibule/gateway
	$(Q)install -m 755 $(addprefix $(BUILD)/bin/,ve-portald ve-jobd ve-signer) $(DESTDIR)$(PREFIX)/sbin/
	$(Q)install -m 755 $(BUILD)/bin/ve-keys $(BUILD)/bin/ve-shell $(DESTDIR)$(PREFIX)/lib/vestibule/
	$(Q)install -m 644 portal/ve-portald.8 portal/ve-jobd.8 portal/ve-signer.8 portal/ve-keys.8 portal/ve-shell.8 provisioning/setup/ve-setup.8 $(MAN8)/
	$(Q)$(here) provisioning/setup/ve-setup >$(DESTDIR)$(PREFIX)/sbin/ve-setup && chmod 755 $(DESTDIR)$(PREFIX)/sbin/ve-setup
	$(Q)for u in ve-portald ve-jobd ve-signer ve-gateway; do \
		$(here) provisioning/systemd/$$u.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$u.service || exit; done
	$(Q)$(here) provisioning/gateway/prepare >$(DESTDIR)$(PREFIX)/lib/vestibule/gateway-prepare && \
		chmod 755 $(DESTDIR)$(PREFIX)/lib/vestibule/gateway-prepare
	$(Q)for f in sshd_config rules.conf; do \
		$(here) provisioning/gateway/$$f >$(DESTDIR)$(PREFIX)/share/vestibule/gateway/$$f || exit; done
	$(Q)install -m 644 provisioning/systemd/vestibule-portal.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/vestibule-portal.conf
	$(Q)cp -r www schema provisioning/pki $(DESTDIR)$(PREFIX)/share/vestibule/
	$(Q)chmod -R a+rX $(addprefix $(DESTDIR)$(PREFIX)/share/vestibule/,www schema pki)

deb: all
	$(Q)provisioning/deb.sh node portal $(if $(wildcard build/kernel/prod/bzImage),kernel)

.PHONY: install install-node install-portal deb
