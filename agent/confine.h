/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_CONFINE_H
#define VE_AGENT_CONFINE_H

/*
 * [priv] Give up, without a way back, what root has and priv does not need: most
 * capabilities (out of the bounding set too) and most system calls.  Fails by
 * fatal(): a priv that cannot be confined does not start.
 */
void confine(void);

#endif
