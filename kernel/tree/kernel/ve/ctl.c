// SPDX-License-Identifier: GPL-2.0-only
/*
 * env_ctl(2): everything that is done to a VE after it was made.
 *
 * One table says what each command is about and how large its argument is at
 * least; the handlers get an argument that was copied in and is copied back.
 */
#include "ve.h"

#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/proc_ns.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/venet.h>
#include <net/net_namespace.h>

union env_ctl_arg {
	struct env_create_args	create;
	struct env_info		info;
	struct env_proc_info	proc_info;
	struct env_list		list;
	struct env_pty		pty;
	struct env_ip		ip;
	struct env_netstat	netstat;
	struct env_activity	activity;
	struct env_ublimits	ub_limits;
	struct env_ubstats	ub_stats;
	struct env_cpu		cpu;
	struct env_netlimit	net_limit;
	envid_t			veid;
	__u32			signal;
	__u64			features;
};

struct env_ctl_ctx {
	struct file		*file;
	struct ve_struct	*ve;	/* borrowed from @file, or NULL */
	struct ve_proc		*proc;	/* borrowed from @file, or NULL */
	union env_ctl_arg	*arg;
};

static int ctl_start(struct env_ctl_ctx *c)
{
	struct env_create_args *a = &c->arg->create;

	if (a->flags || a->features || a->id_first || a->id_count)
		return -EINVAL;
	if (!a->veid || a->veid > ENV_VEID_MAX)
		return -EINVAL;
	return ve_start(c->ve, a);
}

static struct pid *ctl_pid(struct env_ctl_ctx *c)
{
	struct pid *pid = NULL;

	if (c->proc) {
		if (READ_ONCE(c->proc->state) != ENV_PROC_EXITED)
			pid = get_pid(c->proc->pid);
	} else {
		guard(mutex)(&c->ve->lock);
		if (c->ve->init)
			pid = get_pid(c->ve->init->pid);
	}
	return pid;
}

static int ctl_kill_pid(struct env_ctl_ctx *c, int sig)
{
	struct pid *pid = ctl_pid(c);
	int err;

	if (!pid)
		return -ESRCH;
	err = kill_pid(pid, sig, 1);
	put_pid(pid);
	return err;
}

static int ctl_signal(struct env_ctl_ctx *c)
{
	if (!valid_signal(c->arg->signal))
		return -EINVAL;
	return ctl_kill_pid(c, c->arg->signal);
}

static int ctl_kill(struct env_ctl_ctx *c)
{
	return ctl_kill_pid(c, SIGKILL);
}

static int ctl_query_proc(struct ve_proc *proc, struct env_proc_info *info)
{
	spin_lock_irq(&proc->wait.lock);
	*info = (struct env_proc_info){
		.state = proc->state,
		.exec_error = proc->exec_error,
		.exit_status = proc->exit_status,
	};
	spin_unlock_irq(&proc->wait.lock);
	info->pid = pid_vnr(proc->pid);
	info->vpid = pid_nr_ns(proc->pid, ns_of_pid(proc->pid));
	return 0;
}

static int ctl_query(struct env_ctl_ctx *c)
{
	struct env_info *info = &c->arg->info;
	struct ve_struct *ve = c->ve;

	if (c->proc)
		return ctl_query_proc(c->proc, &c->arg->proc_info);

	guard(mutex)(&ve->lock);
	ve_file_seen(c->file);
	*info = (struct env_info){
		.veid = ve->veid,
		.state = ve_state(ve),
		.features = ve->features,
		.exit_status = ve->exit_status,
		.halt = ve->halt,
		.start_boottime = ve->start_boottime,
		.id_first = ve->id_first,
		.id_count = ve->id_count,
		.nr_addrs = venet_nr_addrs(ve),
	};
	if (ve->nsproxy) {
		struct pid_namespace *pid_ns = ve->nsproxy->pid_ns_for_children;

		info->nr_tasks = READ_ONCE(pid_ns->pid_allocated) &
				 (PIDNS_ADDING - 1);
		info->userns_inum = ve->user_ns->ns.inum;
		info->netns_inum = ve->nsproxy->net_ns->ns.inum;
	}
	if (ve->init) {
		info->init_pid = pid_vnr(ve->init->pid);
		info->exec_error = ve->init->exec_error;
	}
	return 0;
}

static int ctl_list(struct env_ctl_ctx *c)
{
	struct env_list *list = &c->arg->list;
	struct env_list_entry __user *to = u64_to_user_ptr(list->entries);
	envid_t id = list->after;
	u32 n = 0;
	int state;

	while (n < list->nr && (id = ve_next_id(id, &state))) {
		struct env_list_entry entry = { .veid = id, .state = state };

		if (copy_to_user(to + n, &entry, sizeof(entry)))
			return -EFAULT;
		n++;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	list->nr = n;
	return 0;
}

static int ctl_open(struct env_ctl_ctx *c)
{
	struct ve_struct *ve __free(ve_put) = NULL;

	if (c->arg->veid > ENV_VEID_MAX)
		return -EINVAL;
	ve = ve_lookup(c->arg->veid);
	return ve ? ve_fd_install(ve) : -ESRCH;
}

static int ctl_open_pty(struct env_ctl_ctx *c)
{
	if (c->arg->pty.__reserved)
		return -EINVAL;
	return ve_open_pty(c->ve, &c->arg->pty);
}

static int ctl_open_net(struct env_ctl_ctx *c)
{
	struct net *net;

	scoped_guard(mutex, &c->ve->lock) {
		if (!c->ve->nsproxy)
			return -ESRCH;
		net = get_net(c->ve->nsproxy->net_ns);
	}
	return ve_ns_fd(&net->ns); /* takes the reference */
}

/* To map the ids of the root's layers; the mapping is all that it is good for. */
static int ctl_open_user(struct env_ctl_ctx *c)
{
	struct user_namespace *user_ns;

	scoped_guard(mutex, &c->ve->lock) {
		if (!c->ve->nsproxy)
			return -ESRCH;
		user_ns = get_user_ns(c->ve->user_ns);
	}
	return ve_ns_fd(&user_ns->ns); /* takes the reference */
}

static int ctl_ip(struct env_ctl_ctx *c, bool add)
{
	const struct env_ip *ip = &c->arg->ip;
	struct ve_struct *ve = c->ve;
	int state;

	if (ip->__reserved || (!add && ip->deadline))
		return -EINVAL;
	guard(mutex)(&ve->lock);
	state = ve_state(ve);
	if (!add)
		return ve->nsproxy ? venet_ip_del(ve, ve->nsproxy->net_ns, ip) :
				     -EADDRNOTAVAIL;
	if (state != ENV_ST_RUNNING && state != ENV_ST_FROZEN)
		return -ESRCH;
	return venet_ip_add(ve, ve->nsproxy->net_ns, ip);
}

static int ctl_ip_add(struct env_ctl_ctx *c)
{
	return ctl_ip(c, true);
}

static int ctl_ip_del(struct env_ctl_ctx *c)
{
	return ctl_ip(c, false);
}

static int ctl_net_stat(struct env_ctl_ctx *c)
{
	guard(mutex)(&c->ve->lock);
	return venet_stat(c->ve, &c->arg->netstat);
}

static int ctl_activity(struct env_ctl_ctx *c)
{
	guard(mutex)(&c->ve->lock);
	return venet_activity(c->ve, &c->arg->activity);
}

static int ctl_set_frozen(struct ve_struct *ve, bool freeze)
{
	int err;

	guard(mutex)(&ve->lock);
	if (!ve->acct || ve_state(ve) >= ENV_ST_STOPPING)
		return -ESRCH;
	err = ve_set_state(ve, freeze ? ENV_ST_FROZEN : ENV_ST_RUNNING);
	if (err)
		return err;
	cgroup_lock();
	cgroup_freeze(ve->acct, freeze);
	cgroup_unlock();
	return 0;
}

static int ctl_freeze(struct env_ctl_ctx *c)
{
	return ctl_set_frozen(c->ve, true);
}

static int ctl_thaw(struct env_ctl_ctx *c)
{
	if (ve_state(c->ve) != ENV_ST_FROZEN)
		return -EBUSY;
	return ctl_set_frozen(c->ve, false);
}

static int ctl_features(struct env_ctl_ctx *c)
{
	if (c->arg->features & ~ENV_FEAT_ALL)
		return -EINVAL;
	guard(mutex)(&c->ve->lock);
	WRITE_ONCE(c->ve->features, c->arg->features);
	return 0;
}

static int ctl_ub_set(struct env_ctl_ctx *c)
{
	const struct env_ublimits *u = &c->arg->ub_limits;
	struct env_ublimit *limits __free(kfree) = NULL;

	/* Both ways to count are not one. */
	if (u->flags > ENV_UB_BATCHED || !u->nr || u->nr > UB_RESOURCES)
		return -EINVAL;
	limits = memdup_array_user(u64_to_user_ptr(u->limits), u->nr,
				   sizeof(*limits));
	if (IS_ERR(limits))
		return PTR_ERR(no_free_ptr(limits));
	guard(mutex)(&c->ve->lock);
	if (ve_state(c->ve) >= ENV_ST_STOPPING)
		return -ESRCH;
	return ub_set(c->ve, limits, u->nr, u->flags);
}

static int ctl_ub_stat(struct env_ctl_ctx *c)
{
	struct env_ubstats *u = &c->arg->ub_stats;
	struct env_ubstat __user *to = u64_to_user_ptr(u->stats);
	struct env_ubstat stat;
	u32 i;

	if (u->__reserved)
		return -EINVAL;
	u->nr = min_t(u32, u->nr, UB_RESOURCES);
	for (i = 0; i < u->nr; i++) {
		ub_stat(c->ve->ub, i, &stat);
		if (copy_to_user(to + i, &stat, sizeof(stat)))
			return -EFAULT;
	}
	return 0;
}

static int ctl_ub_events(struct env_ctl_ctx *c)
{
	return ub_events_open();
}

static int ctl_cpu(struct env_ctl_ctx *c)
{
	guard(mutex)(&c->ve->lock);
	if (ve_state(c->ve) >= ENV_ST_STOPPING)
		return -ESRCH;
	return ve_cpu_set(c->ve, &c->arg->cpu);
}

static int ctl_net_limit(struct env_ctl_ctx *c)
{
	guard(mutex)(&c->ve->lock);
	if (ve_state(c->ve) >= ENV_ST_STOPPING)
		return -ESRCH;
	return venet_limit(c->ve, &c->arg->net_limit);
}

/* What a command is about */
#define ON_NOTHING	0	/* fd is -1 */
#define ON_VE		BIT(0)
#define ON_PROC		BIT(1)

static const struct env_ctl {
	int	(*handler)(struct env_ctl_ctx *c);
	u16	min;		/* bytes of the first version; 0: no argument */
	u16	max;		/* bytes of the version that is known here */
	u8	on;
	bool	back;		/* the argument is copied back */
} env_ctls[] = {
#define ARG(type) sizeof(type), sizeof(type)
#define IP_ARG ENV_IP_SIZE_VER0, sizeof(struct env_ip)
	[ENV_CTL_START]    = { ctl_start, ARG(struct env_create_args), ON_VE },
	[ENV_CTL_SIGNAL]   = { ctl_signal, ARG(__u32), ON_VE | ON_PROC },
	[ENV_CTL_KILL]     = { ctl_kill, 0, 0, ON_VE },
	[ENV_CTL_QUERY]    = { ctl_query, ARG(struct env_info), ON_VE | ON_PROC, true },
	[ENV_CTL_LIST]     = { ctl_list, ARG(struct env_list), ON_NOTHING, true },
	[ENV_CTL_OPEN]     = { ctl_open, ARG(envid_t), ON_NOTHING },
	[ENV_CTL_OPEN_PTY] = { ctl_open_pty, ARG(struct env_pty), ON_VE, true },
	[ENV_CTL_OPEN_NET] = { ctl_open_net, 0, 0, ON_VE },
	[ENV_CTL_IP_ADD]   = { ctl_ip_add, IP_ARG, ON_VE },
	[ENV_CTL_IP_DEL]   = { ctl_ip_del, IP_ARG, ON_VE },
	[ENV_CTL_NET_STAT] = { ctl_net_stat, ENV_NETSTAT_SIZE_VER0,
			       sizeof(struct env_netstat), ON_VE, true },
	[ENV_CTL_FREEZE]   = { ctl_freeze, 0, 0, ON_VE },
	[ENV_CTL_THAW]     = { ctl_thaw, 0, 0, ON_VE },
	[ENV_CTL_FEATURES] = { ctl_features, ARG(__u64), ON_VE },
	[ENV_CTL_OPEN_USER] = { ctl_open_user, 0, 0, ON_VE },
	[ENV_CTL_ACTIVITY] = { ctl_activity, ARG(struct env_activity), ON_VE, true },
	[ENV_CTL_UB_SET]   = { ctl_ub_set, ARG(struct env_ublimits), ON_VE },
	[ENV_CTL_UB_STAT]  = { ctl_ub_stat, ARG(struct env_ubstats), ON_VE, true },
	[ENV_CTL_UB_EVENTS] = { ctl_ub_events, 0, 0, ON_NOTHING },
	[ENV_CTL_CPU]	   = { ctl_cpu, ARG(struct env_cpu), ON_VE },
	[ENV_CTL_NET_LIMIT] = { ctl_net_limit, ARG(struct env_netlimit), ON_VE },
#undef IP_ARG
#undef ARG
};

/* Look at the descriptor; anybody who holds one may query. */
static int env_ctl_target(struct env_ctl_ctx *c, const struct env_ctl *ctl)
{
	if (ctl->on == ON_NOTHING)
		return c->file ? -EINVAL : 0;
	if (!c->file)
		return -EBADF;
	c->ve = ve_from_file(c->file);
	c->proc = c->ve ? NULL : ve_proc_from_file(c->file);
	if (c->ve && ctl->on & ON_VE)
		return 0;
	return c->proc && ctl->on & ON_PROC ? 0 : -EINVAL;
}

/* The size that the kernel fills or reads, by the descriptor for QUERY. */
static size_t env_ctl_known(const struct env_ctl_ctx *c,
			    const struct env_ctl *ctl)
{
	if (c->proc && ctl->handler == ctl_query)
		return sizeof(struct env_proc_info);
	return ctl->max;
}

/**
 * sys_env_ctl - control a VE or a process spawned into one
 * @fd: VE or process descriptor, or -1 for ENV_CTL_LIST and ENV_CTL_OPEN
 * @cmd: enum env_ctl_cmd
 * @uarg: the command's argument
 * @size: of the argument, 0 when there is none
 *
 * Return: 0 or a descriptor; EPERM (not the node's root), EINVAL (command,
 * kind of descriptor, size, field), E2BIG, EFAULT, EBADF, ESRCH (the VE or
 * process is gone, or not running), EBUSY (not from this state), EADDRINUSE,
 * EADDRNOTAVAIL, EAFNOSUPPORT, EOPNOTSUPP (no memory cgroup), ETIME, ENOSPC,
 * ENOMEM, EMFILE.
 */
SYSCALL_DEFINE4(env_ctl, int, fd, unsigned int, cmd, void __user *, uarg,
		size_t, size)
{
	struct file *file __free(fput) = fd == -1 ? NULL : fget(fd);
	union env_ctl_arg arg = {};
	struct env_ctl_ctx c = { .file = file, .arg = &arg };
	const struct env_ctl *ctl;
	size_t known;
	int ret;

	if (cmd != ENV_CTL_QUERY && !ve_may_control())
		return -EPERM;
	if (cmd >= ARRAY_SIZE(env_ctls) || !env_ctls[cmd].handler)
		return -EINVAL;
	ctl = &env_ctls[array_index_nospec(cmd, ARRAY_SIZE(env_ctls))];
	if (fd != -1 && !file)
		return -EBADF;
	ret = env_ctl_target(&c, ctl);
	if (ret)
		return ret;

	known = env_ctl_known(&c, ctl);
	if (size < min_t(size_t, ctl->min, known) || (!ctl->min && size))
		return -EINVAL;
	if (ctl->min) {
		ret = copy_struct_from_user(&arg, known, uarg, size);
		if (ret)
			return ret;
	}
	ret = ctl->handler(&c);
	if (ret >= 0 && ctl->back &&
	    copy_to_user(uarg, &arg, min(size, known)))
		return -EFAULT;
	return ret;
}
