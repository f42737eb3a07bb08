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
