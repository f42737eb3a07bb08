/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_HTML_H
#define VE_PORTAL_HTML_H

/*
 * The only place that knows how text is made harmless, by the context it goes
 * to.  Bytes that are not UTF-8 and control bytes become U+FFFD.
 */
#include "agent/libve/buf.h"

void html_text(struct buf *b, const char *s); /* between tags */
void html_attr(struct buf *b, const char *s); /* inside "..." */
void html_url_path(struct buf *b, const char *s); /* in href, action, src */

#endif
