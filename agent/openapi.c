// SPDX-License-Identifier: Apache-2.0
#include "agent/openapi.h"

/* clang-format off */
/* The assembler reads the file. */
__asm__(".section .rodata\n"
	".global openapi_json\n"
	"openapi_json:\n"
	".incbin " "\"" "agent/openapi.json" "\"" "\n"
	"openapi_end:\n"
	".byte 0\n"
	".balign 8\n"
	".global openapi_json_len\n"
	"openapi_json_len:\n"
	".quad openapi_end - openapi_json\n"
	".previous\n");
