// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VE finds in its /proc, besides its processes: the names in these two
 * tables and no other, and of them it writes the two of its own names alone.
 * What a new kernel adds is hidden until somebody has looked at it.
 */
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <linux/ve.h>
#include <linux/ve_guard.h>

#include "internal.h"

/* At the top of /proc. */
static const char *const ve_proc_names[] = {
	"cmdline", "cpuinfo", "filesystems", "loadavg", "meminfo", "mounts",
	"net", "pressure", "self", "stat", "swaps", "sys", "sysvipc", "thread-self",
	"uptime", "user_beancounters", "version", "vmstat",
};

/* Not in /proc/net, whose other files tell of one network: these tell of all. */
static const char *const ve_net_hidden[] = {
	"protocols", "sockstat", "softnet_stat", "stat",
};

/*
 * Below /proc/sys.  A name that ends in a slash is all that is below it.
 * W: the VE's own names.  N: settings of its own network, which it writes with
 * the feature ENV_FEAT_NET_SYSCTL.  A star stands for one part of a path.
 */
#define R 0
#define W 1
#define N 2
static const struct {
	const char *path;
	u8 how;
} ve_sysctls[] = {
	{ "net/core/somaxconn", N },
	{ "net/ipv4/conf/*/accept_local", N },
	{ "net/ipv4/conf/*/accept_redirects", N },
	{ "net/ipv4/conf/*/accept_source_route", N },
	{ "net/ipv4/conf/*/forwarding", N },
	{ "net/ipv4/conf/*/rp_filter", N },
	{ "net/ipv4/ip_forward", N },
	{ "net/ipv4/ip_local_port_range", N },
	{ "net/ipv4/ip_unprivileged_port_start", N },
	{ "net/ipv4/ping_group_range", N },
	{ "net/ipv4/tcp_ecn", N },
	{ "net/ipv4/tcp_fastopen", N },
	{ "net/ipv4/tcp_fin_timeout", N },
	{ "net/ipv4/tcp_keepalive_intvl", N },
	{ "net/ipv4/tcp_keepalive_probes", N },
	{ "net/ipv4/tcp_keepalive_time", N },
	{ "net/ipv4/tcp_max_syn_backlog", N },
	{ "net/ipv4/tcp_sack", N },
	{ "net/ipv4/tcp_syncookies", N },
	{ "net/ipv4/tcp_timestamps", N },
	{ "net/ipv4/tcp_tw_reuse", N },
	{ "net/ipv4/tcp_window_scaling", N },
	{ "net/ipv6/conf/*/accept_ra", N },
	{ "net/ipv6/conf/*/accept_redirects", N },
	{ "net/ipv6/conf/*/disable_ipv6", N },
	{ "net/ipv6/conf/*/forwarding", N },
	{ "net/unix/max_dgram_qlen", N },
	{ "net/", R },
	{ "fs/aio-max-nr", R },
	{ "fs/epoll/", R },
	{ "fs/file-max", R },
	{ "fs/inotify/", R },
	{ "fs/lease-break-time", R },
	{ "fs/leases-enable", R },
	{ "fs/mount-max", R },
	{ "fs/mqueue/", R },
	{ "fs/nr_open", R },
	{ "fs/overflowgid", R },
	{ "fs/overflowuid", R },
	{ "fs/pipe-max-size", R },
	{ "fs/pipe-user-pages-hard", R },
	{ "fs/pipe-user-pages-soft", R },
	{ "fs/protected_fifos", R },
	{ "fs/protected_hardlinks", R },
	{ "fs/protected_regular", R },
	{ "fs/protected_symlinks", R },
	{ "fs/suid_dumpable", R },
	{ "kernel/cap_last_cap", R },
	{ "kernel/domainname", W },
	{ "kernel/hostname", W },
	{ "kernel/msgmax", R },
	{ "kernel/msgmnb", R },
	{ "kernel/msgmni", R },
	{ "kernel/ngroups_max", R },
	{ "kernel/osrelease", R },
	{ "kernel/ostype", R },
	{ "kernel/overflowgid", R },
	{ "kernel/overflowuid", R },
	{ "kernel/pid_max", R },
	{ "kernel/random/boot_id", R },
	{ "kernel/random/entropy_avail", R },
	{ "kernel/random/poolsize", R },
	{ "kernel/random/uuid", R },
	{ "kernel/randomize_va_space", R },
	{ "kernel/seccomp/actions_avail", R },
	{ "kernel/sem", R },
	{ "kernel/shm_rmid_forced", R },
	{ "kernel/shmall", R },
	{ "kernel/shmmax", R },
	{ "kernel/shmmni", R },
	{ "kernel/threads-max", R },
	{ "kernel/version", R },
	{ "kernel/yama/ptrace_scope", R },
	{ "user/", R },
	{ "vm/max_map_count", R },
	{ "vm/mmap_min_addr", R },
	{ "vm/overcommit_kbytes", R },
	{ "vm/overcommit_memory", R },
	{ "vm/overcommit_ratio", R },
	{ "vm/swappiness", R },
};

/* Is this mount of proc a VE's?  Its pid namespace says so. */
static bool ve_proc_is_ves(const struct super_block *sb)
{
	return !ve_is_node(userns_ve(proc_sb_info((struct super_block *)sb)->pid_ns->user_ns));
}

static bool ve_proc_in_net(const struct proc_dir_entry *de)
{
	return de->parent != &proc_root && de->parent->parent == &proc_root &&
	       !strcmp(de->parent->name, "net");
}

bool ve_proc_visible(const struct super_block *sb,
		     const struct proc_dir_entry *de)
{
	bool top = de->parent == &proc_root;

	if ((!top && !ve_proc_in_net(de)) || !ve_proc_is_ves(sb) ||
	    !ve_guard(proc))
		return true;
	if (top)
		return match_string(ve_proc_names, ARRAY_SIZE(ve_proc_names),
				    de->name) >= 0;
	return match_string(ve_net_hidden, ARRAY_SIZE(ve_net_hidden),
			    de->name) < 0;
}

bool ve_proc_read_only(const struct super_block *sb)
{
	return ve_proc_is_ves(sb) && ve_guard(proc);
}

/* The path of an entry below /proc/sys, built from its end; NULL: too long. */
static const char *ve_sysctl_path(const struct ctl_table_header *head,
				  const struct ctl_table *table, char *buf,
				  size_t size)
{
	const struct ctl_dir *dir = head->parent;
	const char *name = table->procname;
	char *p = buf + size - 1;
	size_t n;

	*p = '\0';
	for (;;) {
		n = strlen(name);
		if (n + 1 > p - buf)
			return NULL;
		p -= n;
		memcpy(p, name, n);
		if (!dir || !dir->header.parent)
			return p;
		*--p = '/';
		name = dir->header.ctl_table[0].procname;
		dir = dir->header.parent;
	}
}

/* Is @path the entry @known, or, of a directory, on the way to it? */
static bool ve_sysctl_match(const char *known, const char *path, bool is_dir)
{
	for (;;) {
		size_t k = strcspn(known, "/"), p = strcspn(path, "/");

		if (!(k == 1 && *known == '*') &&
		    (k != p || strncmp(known, path, k)))
			return false;
		if (!path[p])
			return known[k] ? is_dir : true;
		if (!known[k])
			return false;
		known += k + 1;
		path += p + 1;
		if (!known[0])
			return true; /* all that is below */
	}
}

/* The row for an entry, or -1. */
static int ve_sysctl_find(const struct ctl_table_header *head,
			  const struct ctl_table *table, bool is_dir)
{
	char buf[128];
	const char *path = ve_sysctl_path(head, table, buf, sizeof(buf));
	int i;

	if (!path)
		return -1;
	for (i = 0; i < ARRAY_SIZE(ve_sysctls); i++)
		if (ve_sysctl_match(ve_sysctls[i].path, path, is_dir))
			return i;
	return -1;
}

bool ve_sysctl_visible(const struct super_block *sb,
		       const struct ctl_table_header *head,
		       const struct ctl_table *table)
{
	if (!ve_proc_is_ves(sb) || !ve_guard(sysctl))
		return true;
	return ve_sysctl_find(head, table, S_ISDIR(table->mode) ||
				       S_ISLNK(table->mode)) >= 0;
}

/* 1: as everybody; 0: may, -errno: may not. */
int ve_sysctl_perm(const struct ctl_table_header *head,
		   const struct ctl_table *table, int op)
{
	int i;

	if (!(op & MAY_WRITE) || current_on_node() || !ve_guard(sysctl_write))
		return 1;
	i = ve_sysctl_find(head, table, false);
	if (i >= 0 && ve_sysctls[i].how == W)
		return ns_capable(current->nsproxy->uts_ns->user_ns,
				  CAP_SYS_ADMIN) ? 0 : -EACCES;
	if (i >= 0 && ve_sysctls[i].how == N &&
	    READ_ONCE(current->ve->features) & ENV_FEAT_NET_SYSCTL)
		return 1;
	return -EROFS;
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>

static void test_match(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("kernel/sem", "kernel/sem", false));
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("kernel/sem", "kernel", true));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("kernel/sem", "kernel", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("kernel/sem", "kernel/semx", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("kernel/sem", "kernel/se", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("kernel/sem", "kernel/sem/x", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("kernel/sem", "kern", true));
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("net/", "net", true));
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("net/", "net/ipv4/tcp_ecn", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("net/", "network", true));
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("a/*/c", "a/lo/c", false));
	KUNIT_EXPECT_TRUE(test, ve_sysctl_match("a/*/c", "a/lo", true));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("a/*/c", "a/lo/d", false));
	KUNIT_EXPECT_FALSE(test, ve_sysctl_match("a/*/c", "a/lo/x/c", false));
}

static struct kunit_case ve_view_cases[] = {
	KUNIT_CASE(test_match),
	{}
};

static struct kunit_suite ve_view_suite = {
	.name = "ve_view",
	.test_cases = ve_view_cases,
};
kunit_test_suite(ve_view_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
