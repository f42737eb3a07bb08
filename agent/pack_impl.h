/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PACK_IMPL_H
#define VE_AGENT_PACK_IMPL_H

/* The form of a pack, for pack.c and unpack.c only: this head, then records, in
 * the byte order of the node that made it and reads it again. */
#include <stdint.h>

#define PACK_HEAD "vestibule-pack 1\n"
#define PACK_DEPTH 2048 /* directories below each other */
#define PACK_CHUNK 65536
#define PACK_ATTR_NAME 255
#define PACK_ATTR_MAX 65536

enum pack_kind {
	PACK_DIR = 1, /* name, attributes; what is in it; PACK_UP */
	PACK_UP,
	PACK_FILE,    /* name, attributes, chunks; a chunk of length 0 ends it */
	PACK_LINK,    /* name: another one of file number @link */
	PACK_SYMLINK, /* name, @size bytes of target */
	PACK_NODE,    /* name: a device, pipe or socket */
};

struct pack_record {
	uint32_t kind;
	uint32_t mode, uid, gid;
	uint32_t major, minor;
	uint32_t nname, nattrs;
	uint64_t size;
	uint64_t link; /* a file with several names: its number, from 1 */
	int64_t mtime;
	uint32_t mtime_ns, pad;
};

struct pack_attr {
	uint32_t nname, nvalue;
};

struct pack_piece {
	uint64_t at;
	uint32_t len, pad;
};

#endif
