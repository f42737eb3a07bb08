/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_TLS_PEM_H
#define VE_LIBVE_TLS_PEM_H

/* Certificates and keys out of texts, for tls.c. */
#include "agent/libve/tls.h"

/* What there is of @t into @ctx; false with words in @e. */
bool tls_pem_load(SSL_CTX *ctx, const struct tls_texts *t, struct err *e);

#endif
