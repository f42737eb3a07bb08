/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual Environments: the object, and what the rest of the kernel sees of it.
 *
 * A task carries its VE (task_struct.ve) and never changes it.  Every other
 * object derives its VE from the user namespace that owns it, so no hot path
 * takes a reference: a task's credentials pin its user namespace, and the root
 * user namespace of a VE pins the ve_struct.
 */
#ifndef _LINUX_VE_H
#define _LINUX_VE_H

#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/user_namespace.h>

struct cgroup;
struct file;
struct kernel_clone_args;
struct net;
struct net_device;
struct nsproxy;
struct pid;
struct pid_namespace;
struct signal_struct;
struct user_beancounter;
struct ve_proc;
struct ve_spawn;
struct venet_ve;

#ifdef CONFIG_VE

#include <linux/completion.h>
#include <linux/hrtimer_types.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/ratelimit_types.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue_types.h>
#include <uapi/linux/ve.h>

/**
 * struct ve_cpu - CPU time (kernel/ve/cpu.c)
 * @quota: ns that it may run in a period; 0: no cap
 * @left: of this period; below 0 what it has had too much
 * @armed: the timer runs
 * @throttled: ns that a task or more has waited for a new period
 * @waiting: how many do, under @wait.lock
 * @since: when the first of them began to, or 0 once they may run; as @waiting
 * @weight: as cpu.weight has it; 0: nobody has said
 * @cpus: that it sees; 0: all
 */
struct ve_cpu {
	s64			quota;
	atomic64_t		left;
	atomic_t		armed;
	atomic64_t		throttled;
	unsigned int		waiting;
	u64			since;
	struct hrtimer		timer;
	wait_queue_head_t	wait;
	u32			weight;
	u32			cpus;
};

/**
 * struct ve_load - load averages (fs/proc/ve_stat.c)
 * @avg: over 1, 5 and 15 minutes, fixed point
 * @looked_at: jiffies of the last look
 * @sampled: @work is under way
 */
struct ve_load {
	unsigned long		avg[3];
	unsigned long		looked_at;
	bool			sampled;
	struct delayed_work	work;
};

/**
 * struct ve_struct - one Virtual Environment
 * @veid: its number, provider-wide; 0 is the node.  Written once, at START,
 *	before the VE is in the registry.
 * @ref: VE descriptors, lookups, spawns under way, process objects, and one of
 *	the root user namespace.
 * @state: enum env_state.  Written under @wait.lock, read anywhere.
 * @seq: counts state changes, so that a poller knows what it has seen.
 * @features: ENV_FEAT_*; written under @lock, read anywhere.
 * @flags: ENV_CREATE_*; constant.
 * @user_ns: the root user namespace.  Not counted: it holds @ref.
 * @lock: START, enter, address changes, teardown of the context.  Sleeps.
 *	Nests outside namespace_sem, cgroup_mutex and the RTNL.
 * @nsproxy: from EMBRYO to STOPPED; under @lock.
 * @cred: what the VE's root runs with; as @nsproxy.
 * @root: the VE's root directory; from START to STOPPED.
 * @devpts: root of the VE's own devpts instance; set by init's spawn.
 * @acct: the cgroup whose subtree is the VE; from START to STOPPED.
 * @init: process object of PID 1; from START, counted.
 * @net: addresses and counters, owned by venet.
 * @cpu: CPU time.
 * @load: load averages.
 * @shown: what /proc/stat has said so far; fs/proc/ve_stat.c.
 * @forks: processes and threads that there ever were; under tasklist_lock.
 * @ub: what it uses and may use; NULL for the node alone.  Constant.
 * @nr_fds: open VE descriptors (for KILL_ON_CLOSE and for held VEs).
 * @wait: woken at each state change; its lock orders state changes.  Taken
 *	with interrupts off, inside tasklist_lock and siglock.
 * @boot_id: what its /proc/sys/kernel/random/boot_id says; made when first read.
 * @all: link in the list of all VEs, under ve_list_lock.
 */
struct ve_struct {
	envid_t			veid;
	refcount_t		ref;
	int			state;
	u32			seq;
	u64			features;
	u64			flags;
	u64			start_boottime;
	u32			id_first;
	u32			id_count;
	u32			exit_status;
	u32			halt;
	struct user_namespace	*user_ns;
	struct mutex		lock;
	struct nsproxy		*nsproxy;
	const struct cred	*cred;
	struct path		root;
	struct path		devpts;
	struct cgroup		*acct;
	struct ve_proc		*init;
	struct venet_ve		*net;
	struct ve_cpu		cpu;
	struct ve_load		load;
	struct ve_shown		*shown;
	unsigned long		forks;
	struct user_beancounter	*ub;
	atomic_long_t		ucount[UCOUNT_COUNTS];
	struct ratelimit_state	alarm;
	atomic_t		nr_fds;
	wait_queue_head_t	wait;
	struct list_head	all;
	struct llist_node	dead;
	u8			boot_id[16];
	struct rcu_head		rcu;
};

extern struct ve_struct ve0;

static inline struct ve_struct *task_ve(const struct task_struct *p)
{
	return p->ve;
}

static inline bool ve_is_node(const struct ve_struct *ve)
{
	return ve == &ve0;
}

/* Under tasklist_lock, for writing */
static inline void ve_count_fork(const struct task_struct *p)
{
	p->ve->forks++;
}

/* Is current a task of the node? */
static inline bool current_on_node(void)
{
	return ve_is_node(current->ve);
}

static inline struct ve_struct *userns_ve(const struct user_namespace *ns)
{
	return ns->ve;
}

static inline struct ve_struct *cred_ve(const struct cred *cred)
{
	return cred->user_ns->ve;
}

static inline int ve_state(const struct ve_struct *ve)
{
	return READ_ONCE(ve->state);
}

/* core.c: give back a counted reference; any context. */
void ve_put(struct ve_struct *ve);

/* Search functions of the announcement; in search.c */
struct task_struct *find_task_by_pid_all(pid_t nr);
struct task_struct *find_task_by_pid_ve(struct ve_struct *ve, pid_t nr);
struct task_struct *ve_next_task(struct ve_struct *ve, pid_t *nr);

/* All tasks of the machine; all thread groups of one VE (inside RCU). */
#define for_each_task_all(p)	for_each_process(p)
#define for_each_task_ve(p, ve, nr) \
	for ((nr) = 1; ((p) = ve_next_task(ve, &(nr))) != NULL; (nr)++)

/* Hooks.  Each is one line in an existing file. */
void ve_userns_free(struct user_namespace *ns);
void ve_begin_stop(struct pid_namespace *pid_ns);
void ve_proc_exit(struct ve_proc *proc, int status);

/* gate.c */
int ve_syslog_gate(int type);
u8 *ve_boot_id(u8 *nodes);

/* Is this the network namespace of a VE, or one inside a VE? */
#define ve_net(net) (!ve_is_node(userns_ve((net)->user_ns)))

/* What all users of a VE have of a kind; NULL when @ns is not a VE's own. */
static inline atomic_long_t *ve_ucount(const struct user_namespace *ns, int type)
{
	struct ve_struct *ve = ns->ve;

	return ve && !ve_is_node(ve) && ve->user_ns == ns ? &ve->ucount[type] : NULL;
}

/* fs/ve.c */
int ve_mount_init(struct path *devpts);
int ve_ns_fd(struct ns_common *ns);

/* Spawn into a VE; called by copy_process() when args->ve_spawn is set. */
struct ve_struct *ve_spawn_ve(const struct ve_spawn *sp);
void ve_spawn_creds(struct task_struct *p, const struct ve_spawn *sp);
void ve_spawn_fs(struct task_struct *p, const struct ve_spawn *sp);
void ve_spawn_namespaces(struct task_struct *p, const struct ve_spawn *sp);
struct file *ve_spawn_cgroup(const struct ve_spawn *sp);

#else /* !CONFIG_VE */

static inline void ve_userns_free(struct user_namespace *ns) { }
static inline void ve_proc_exit(struct ve_proc *proc, int status) { }
static inline void ve_begin_stop(struct pid_namespace *pid_ns) { }
static inline void ve_count_fork(const struct task_struct *p) { }

#define ve_net(net) false
#define ve_ucount(ns, type) NULL

static inline int ve_syslog_gate(int type)
{
	return 1;
}

static inline u8 *ve_boot_id(u8 *nodes)
{
	return nodes;
}

static inline bool current_on_node(void)
{
	return true;
}

#endif /* CONFIG_VE */
#endif /* _LINUX_VE_H */
