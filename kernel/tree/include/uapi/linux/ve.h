/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Virtual Environments: the interface to user space.
 *
 * Every structure that a call takes is extensible, as clone3(2) and openat2(2)
 * do it: the caller passes its size; a larger structure is accepted when the
 * tail that this kernel does not know is zero (else E2BIG), a smaller one than
 * the first version is refused (EINVAL).  Documentation/admin-guide/ve.rst has
 * the semantics and each call's errors.
 */
#ifndef _UAPI_LINUX_VE_H
#define _UAPI_LINUX_VE_H

#include <linux/types.h>

typedef __u32 envid_t;			/* 0 is the node itself, "VE 0" */
#define ENV_VEID_NODE		0U
#define ENV_VEID_MAX		0x7fffffffU

#ifndef __NR_env_create
#define __NR_env_create		600
#define __NR_env_enter		601
#define __NR_env_ctl		602
#endif

/* env_create_args.flags */
#define ENV_CREATE_HOLD		 (1ULL << 0) /* namespaces only, ENV_CTL_START later */
#define ENV_CREATE_KILL_ON_CLOSE (1ULL << 1) /* the last VE descriptor takes it down */

/* env_create_args.features: what the strict profile closes */
#define ENV_FEAT_NESTING	(1ULL << 0)  /* containers: user namespaces, the mount API */
#define ENV_FEAT_PACKET		(1ULL << 1)  /* AF_PACKET */
#define ENV_FEAT_NETFILTER	(1ULL << 2)  /* nftables on its own network */
#define ENV_FEAT_TUN		(1ULL << 3)  /* /dev/net/tun */
#define ENV_FEAT_FUSE		(1ULL << 4)  /* /dev/fuse and its mounts */
#define ENV_FEAT_NET_SYSCTL	(1ULL << 5)  /* settings of its own network */
#define ENV_FEAT_ALL		0x3fULL

/* env_exec.flags */
#define ENV_EXEC_CTTY		(1U << 0)    /* descriptor 0 becomes the controlling tty */

#define ENV_EXEC_MAX_FDS	16
#define ENV_EXEC_MAX_STRINGS	256	     /* argv and envp together */
#define ENV_EXEC_MAX_BYTES	65536	     /* path, argv, envp and cwd together */

struct env_fdmap {
	__s32	src;			/* descriptor of the caller */
	__s32	dst;			/* its number in the new process */
};

/* What to run.  Paths are looked up inside the VE's root by the VE's user. */
struct env_exec {
	__aligned_u64	path;
	__aligned_u64	argv;		/* vector that ends in NULL; NULL: { path } */
	__aligned_u64	envp;		/* vector that ends in NULL; NULL: empty */
	__aligned_u64	cwd;		/* NULL: "/" */
	__aligned_u64	fds;		/* struct env_fdmap[nr_fds]; nothing else is open */
	__u32		nr_fds;
	__u32		flags;		/* ENV_EXEC_* */
	__u32		uid;		/* as seen inside the VE */
	__u32		gid;
};

struct env_create_args {
	__aligned_u64	flags;		/* ENV_CREATE_* */
	__aligned_u64	features;	/* ENV_FEAT_* */
	envid_t		veid;		/* 1..ENV_VEID_MAX; 0 with HOLD */
	__u32		id_first;	/* uid and gid of VE root on the node; 0 with START of a held VE */
	__u32		id_count;	/* length of the range; inside it is 0..id_count-1 */
	__s32		root_fd;	/* detached mount that becomes the root; -1 with HOLD */
	__s32		cgroup_fd;	/* cgroup v2 directory init is born in; -1 with HOLD */
	__s32		acct_cgroup_fd;	/* its ancestor that is the whole VE: limits, freezer; -1 with HOLD */
	__aligned_u64	hostname;	/* strings of at most 64 bytes; NULL: "ve<veid>" */
	__aligned_u64	domainname;	/* NULL: "(none)" */
	struct env_exec	init;		/* PID 1; ignored with HOLD */
};
#define ENV_CREATE_ARGS_SIZE_VER0	112

struct env_enter_args {
	__aligned_u64	flags;		/* none yet */
	__s32		cgroup_fd;	/* cgroup v2 directory the process is born in */
	__u32		__reserved;
	struct env_exec	exec;
};
#define ENV_ENTER_ARGS_SIZE_VER0	72

/* env_ctl(fd, cmd, arg, size) */
enum env_ctl_cmd {
	ENV_CTL_START	 = 1,	/* held VE; struct env_create_args */
	ENV_CTL_SIGNAL	 = 2,	/* VE (its init) or process descriptor; __u32 signal */
	ENV_CTL_KILL	 = 3,	/* VE: SIGKILL to init, hence to all; no argument */
	ENV_CTL_QUERY	 = 4,	/* VE: struct env_info; process: struct env_proc_info */
	ENV_CTL_LIST	 = 5,	/* fd -1; struct env_list */
	ENV_CTL_OPEN	 = 6,	/* fd -1; envid_t -> VE descriptor */
	ENV_CTL_OPEN_PTY = 7,	/* VE; struct env_pty */
	ENV_CTL_OPEN_NET = 8,	/* VE -> descriptor of its network namespace */
	ENV_CTL_IP_ADD	 = 9,	/* VE; struct env_ip */
	ENV_CTL_IP_DEL	 = 10,	/* VE; struct env_ip */
	ENV_CTL_NET_STAT = 11,	/* VE; struct env_netstat */
	ENV_CTL_FREEZE	 = 12,	/* VE; no argument; returns when frozen is asked for */
	ENV_CTL_THAW	 = 13,	/* VE; no argument */
	ENV_CTL_FEATURES = 14,	/* VE; __u64 of ENV_FEAT_*, replaces the old set */
	ENV_CTL_ACTIVITY = 15,	/* VE; struct env_activity */
	ENV_CTL_OPEN_USER = 16,	/* VE, held too -> descriptor of its user namespace */
};

enum env_state {
	ENV_ST_EMBRYO	= 0,	/* held: object and namespaces, no identity, no task */
	ENV_ST_STARTING	= 1,	/* init exists and has not passed exec */
	ENV_ST_RUNNING	= 2,
	ENV_ST_FROZEN	= 3,
	ENV_ST_STOPPING	= 4,	/* init is exiting: nothing enters any more, addresses are gone */
	ENV_ST_STOPPED	= 5,	/* no task is left; the veid is free */
};

/* Why init ended, from the reboot(2) call inside */
enum env_halt {
	ENV_HALT_NONE	 = 0,	/* init returned or was killed */
	ENV_HALT_HALT	 = 1,	/* halt or power off */
	ENV_HALT_RESTART = 2,
};

struct env_info {
	envid_t		veid;
	__u32		state;		/* enum env_state */
	__aligned_u64	features;
	__s32		init_pid;	/* on the node, 0 when there is none */
	__u32		nr_tasks;	/* threads with a pid inside */
	__u32		exit_status;	/* of init as wait(2) has it, from STOPPED */
	__u32		halt;		/* enum env_halt, from STOPPED */
	__aligned_u64	start_boottime;	/* ns of CLOCK_BOOTTIME */
	__u32		id_first;
	__u32		id_count;
	__u32		userns_inum;
	__u32		netns_inum;
	__u32		exec_error;	/* errno of init's exec, 0 when it ran */
	__u32		nr_addrs;	/* addresses in the venet table */
};
#define ENV_INFO_SIZE_VER0	64

enum env_proc_state {
	ENV_PROC_EXECING = 0,
	ENV_PROC_RUNNING = 1,
	ENV_PROC_EXITED	 = 2,
};

struct env_proc_info {
	__u32		state;		/* enum env_proc_state */
	__s32		pid;		/* on the node */
	__s32		vpid;		/* inside the VE */
	__u32		exec_error;	/* errno, 0 when it ran */
	__u32		exit_status;	/* as wait(2) has it, from EXITED */
	__u32		__reserved;
};
#define ENV_PROC_INFO_SIZE_VER0	24

struct env_list_entry {
	envid_t		veid;
	__u32		state;
};

struct env_list {
	__aligned_u64	entries;	/* struct env_list_entry[nr] */
	__u32		nr;		/* in: room; out: filled */
	envid_t		after;		/* in: list only above this one */
};
#define ENV_LIST_SIZE_VER0	16

struct env_pty {
	__s32		master;		/* out */
	__s32		slave;		/* out */
	__u16		cols, rows;	/* in */
	__u32		__reserved;
};
#define ENV_PTY_SIZE_VER0	16

struct env_ip {
	__u16		family;		/* AF_INET, AF_INET6 */
	__u16		__reserved;
	__u32		epoch;		/* of the lease; shown in /proc/net/venet */
	__u8		addr[16];	/* network order; IPv4 uses the first four */
	/* IP_ADD: ns of CLOCK_BOOTTIME from when on the kernel itself lets no
	 * packet of it pass and takes it out; 0: never.  IP_ADD of an address
	 * that the VE has sets epoch and deadline anew. */
	__aligned_u64	deadline;
};
#define ENV_IP_SIZE_VER0	24	/* without deadline */
#define ENV_IP_SIZE_VER1	32

struct env_netstat {			/* seen from the VE */
	__aligned_u64	tx_packets, tx_bytes;
	__aligned_u64	rx_packets, rx_bytes;
	__aligned_u64	spoofed;	/* dropped: source is not the VE's */
	__aligned_u64	tx_dropped, rx_dropped;
};
#define ENV_NETSTAT_SIZE_VER0	56

/*
 * What keeps a VE awake, by the network: times are ns of CLOCK_BOOTTIME, 0 for
 * never, as exact as the scheduler's tick.  A packet that no socket of the VE
 * takes does not count, nor does one of the VE to itself.
 */
struct env_activity {
	__aligned_u64	last_tx;	/* the VE sent a packet */
	__aligned_u64	last_rx;	/* a socket of the VE took one */
	__u8		peer[16];	/* whose that was: IPv6, or IPv4 as ::ffff:a.b.c.d */
	__u16		peer_port;	/* its port, and the VE's; 0 without ports */
	__u16		port;
	__u8		protocol;	/* IPPROTO_* */
	__u8		__reserved[3];
};
#define ENV_ACTIVITY_SIZE_VER0	40

#endif /* _UAPI_LINUX_VE_H */
