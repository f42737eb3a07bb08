/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_OPENAPI_H
#define VE_AGENT_OPENAPI_H

/* agent/openapi.json, embedded at build time (agent/rules.mk). */
#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_len;

#endif
