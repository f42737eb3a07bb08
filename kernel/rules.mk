# SPDX-License-Identifier: GPL-2.0-only
# Kernels: build/kernel/FLAVOUR/bzImage.  build.sh decides by content what is left to do.
kernel: kernel-prod
kernel-%:
	$(Q)kernel/build.sh $*

export:
	$(Q)kernel/export.sh

.PHONY: kernel export
