/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_MAIL_H
#define VE_PORTAL_MAIL_H

#include "agent/libve/err.h"

/* Send one letter in plain text by SMTP.  0; -ENOENT when the server refused the
 * letter or its recipient for good (5xx), -EIO when another time may be better;
 * both with the server's words where it had any. */
int mail_send(const char *smtp_url, const char *from, const char *to,
	      const char *subject, const char *body, struct err *e);

#endif
