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
#define __NR_getluid		603
#define __NR_setluid		604
#define __NR_setublimit		605
#define __NR_ubstat		606
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
	ENV_CTL_UB_SET	 = 17,	/* VE; struct env_ublimits: all of them or none */
	ENV_CTL_UB_STAT	 = 18,	/* VE; struct env_ubstats */
	ENV_CTL_UB_EVENTS = 19,	/* fd -1 -> descriptor that refusals are read from */
	ENV_CTL_CPU	 = 20,	/* VE; struct env_cpu */
	ENV_CTL_NET_LIMIT = 21,	/* VE; struct env_netlimit */
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
	__aligned_u64	tx6_packets, tx6_bytes;	/* of them by IPv6 */
	__aligned_u64	rx6_packets, rx6_bytes;
	__aligned_u64	flows_braked;	/* new flows over env_netlimit's rate */
	__aligned_u64	packets_braked;
};
#define ENV_NETSTAT_SIZE_VER0	56	/* without those by IPv6 */
#define ENV_NETSTAT_SIZE_VER1	104

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

/*
 * User Beancounters: the rows of /proc/user_beancounters, format 2.5.  Each has
 * a barrier, that ordinary requests are refused above, and a limit for those
 * that are hard to refuse; a limit is never below its barrier (EINVAL).  ve.rst
 * says which those are of each row.
 */
enum ub_resource {
	UB_KMEMSIZE	 = 0,	/* bytes of kernel memory */
	UB_LOCKEDPAGES	 = 1,	/* pages that mlock(2) keeps */
	UB_PRIVVMPAGES	 = 2,	/* pages of private, writable mappings */
	UB_SHMPAGES	 = 3,	/* pages of tmpfs and shared memory */
	UB_DUMMY	 = 4,
	UB_NUMPROC	 = 5,	/* processes and threads */
	UB_PHYSPAGES	 = 6,	/* pages in memory */
	UB_VMGUARPAGES	 = 7,	/* privvmpages up to this barrier are never refused */
	UB_OOMGUARPAGES	 = 8,	/* below this barrier the VE is no victim of others' want */
	UB_NUMTCPSOCK	 = 9,
	UB_NUMFLOCK	 = 10,
	UB_NUMPTY	 = 11,
	UB_NUMSIGINFO	 = 12,
	UB_TCPSNDBUF	 = 13,	/* bytes */
	UB_TCPRCVBUF	 = 14,
	UB_OTHERSOCKBUF	 = 15,	/* what sockets other than TCP have sent */
	UB_DGRAMRCVBUF	 = 16,	/* what they have received */
	UB_NUMOTHERSOCK	 = 17,
	UB_DCACHESIZE	 = 18,	/* bytes of dentries and inodes */
	UB_NUMFILE	 = 19,
	UB_DUMMY20	 = 20,
	UB_DUMMY21	 = 21,
	UB_DUMMY22	 = 22,
	UB_NUMIPTENT	 = 23,	/* rules of the packet filter */
	UB_SWAPPAGES	 = 24,
	UB_RESOURCES	 = 25,
};
#define UB_MAXVALUE	0x7fffffffffffffffULL	/* no bound */

struct env_ublimit {
	__u32		resource;	/* enum ub_resource */
	__u32		__reserved;
	__aligned_u64	barrier;	/* 0..UB_MAXVALUE */
	__aligned_u64	limit;		/* barrier..UB_MAXVALUE */
};

struct env_ublimits {
	__aligned_u64	limits;		/* struct env_ublimit[nr] */
	__u32		nr;		/* 1..UB_RESOURCES */
	__u32		flags;		/* ENV_UB_EXACT, ENV_UB_BATCHED, or 0: as it is */
};
#define ENV_UB_EXACT	(1U << 0)	/* count without per-CPU batches: maxheld is exact */
#define ENV_UB_BATCHED	(1U << 1)	/* with them, as at first */
#define ENV_UBLIMITS_SIZE_VER0	16

struct env_ubstat {
	__aligned_u64	held, maxheld, barrier, limit, failcnt;
};

struct env_ubstats {
	__aligned_u64	stats;		/* struct env_ubstat[nr], by resource */
	__u32		nr;		/* in: room; out: filled, at most UB_RESOURCES */
	__u32		__reserved;
};
#define ENV_UBSTATS_SIZE_VER0	16

/*
 * A refusal.  read(2) on the descriptor of ENV_CTL_UB_EVENTS gives whole ones,
 * oldest first; poll(2) says EPOLLIN.  Of one VE and resource at most one a
 * second comes, and says how many refusals it stands for.  A reader that is too
 * slow loses the oldest: @lost of the next one read says how many.
 */
struct env_event {
	__aligned_u64	time;		/* ns of CLOCK_BOOTTIME */
	__aligned_u64	held, barrier, limit;
	__aligned_u64	refused;	/* since the last event of this VE and resource */
	envid_t		veid;
	__u32		resource;	/* enum ub_resource */
	__u32		lost;		/* events that this reader has missed before this one */
	__u32		pid;		/* inside the VE; 0: no program's doing */
	char		comm[16];	/* the program, ends in NUL */
};

struct env_cpu {
	__u32		weight;		/* 1..10000 as cpu.weight has it; 0: as it is */
	__u32		cpus;		/* that the VE sees; 0: all of the node's */
	__aligned_u64	cap;		/* ns of CPU time a second; 0: none */
};
#define ENV_CPU_SIZE_VER0	16

/* 0 is no bound everywhere.  Beyond a rate the VE's packets are dropped and counted. */
struct env_netlimit {
	__u32		mark;		/* skb->mark of its packets on the node, both ways: tc class */
	__u32		flow_rate;	/* new flows that it may open a second */
	__u32		flow_burst;
	__u32		packet_rate;	/* packets that it may send a second */
	__u32		packet_burst;
	__u32		__reserved;
};
#define ENV_NETLIMIT_SIZE_VER0	24

#endif /* _UAPI_LINUX_VE_H */
