/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_TREE_H
#define VE_AGENT_TREE_H

/*
 * [priv] Template trees and private trees on disk.  A private tree
 * (<private_dir>/<veid>/{upper,work}) was written by a stranger who was root in
 * it: everything below is reached by descriptors, never through a link, never
 * across a mount.
 */
#include "agent/libve/err.h"
#include "agent/msg.h"

/* The private tree of @veid, made when missing, with its project quota set to
 * @disk bytes (0: none).  Its directory, or -errno. */
int tree_open(const char *private_dir, uint32_t veid, uint64_t disk,
	      struct err *e);

/* Change the quota of a tree that exists. */
int tree_limit(const char *private_dir, uint32_t veid, uint64_t disk,
	       struct err *e);

/* The same without anything in it. */
int tree_make(const char *private_dir, uint32_t veid, uint64_t disk,
	      struct err *e);

/* The private tree if there is one, else -ENOENT. */
int tree_find(const char *private_dir, uint32_t veid, struct err *e);

/*
 * The private tree into one file beside the trees, and back.  While the pack is
 * there it is what counts; the tree goes after the pack is on the disk, the pack
 * after the tree is.  So whatever ends it half way, it may be done again.  0
 * when there is nothing to do.  It is unpacked within a quota of @disk bytes and
 * a little more: nobody says that a tree takes to the block what it took.
 */
int tree_pack(const char *private_dir, uint32_t veid, struct err *e);
int tree_unpack(const char *private_dir, uint32_t veid, uint64_t disk,
		struct err *e);
bool tree_is_packed(const char *private_dir, uint32_t veid);
int tree_drop_pack(const char *private_dir, uint32_t veid, struct err *e);

/* Put the tree away; its files go later, by tree_sweep().  0 when there was
 * none.  It does not come back with a power cut: the same for a pack. */
int tree_put_away(const char *private_dir, uint32_t veid, struct err *e);

/* The tree and its pack, if there is one. */
int tree_erase(const char *private_dir, uint32_t veid, struct err *e);

/* Start a process that deletes what tree_erase() put away, if there is
 * anything; its pid, or 0. */
int tree_sweep(const char *private_dir);

/* Directory of a template, or -ENOENT. */
int tree_template(const char *template_dir, const char *name, struct err *e);

/* Names, sizes and digests of the templates, at most MSG_TEMPLATES. */
uint32_t tree_templates(const char *template_dir, struct msg_template *out);

/* Delete everything below @dir (which is closed), on its file system only. */
int tree_empty(int dir);

#endif
