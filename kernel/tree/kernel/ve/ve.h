/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kernel/ve share among themselves. */
#ifndef _KERNEL_VE_VE_H
#define _KERNEL_VE_VE_H

#include <linux/ve.h>
#include <linux/workqueue.h>

/* core.c: the object, the registry, the states */

/* A new VE in state EMBRYO with one reference, or NULL. */
struct ve_struct *ve_alloc(void);

static inline struct ve_struct *ve_get(struct ve_struct *ve)
{
	refcount_inc(&ve->ref);
	return ve;
}
DEFINE_FREE(ve_put, struct ve_struct *, if (_T) ve_put(_T))

/* Take @veid for @ve: 0, -EEXIST, -ENOMEM. */
int ve_register(struct ve_struct *ve, envid_t veid);
void ve_unregister(struct ve_struct *ve);

/* The VE with that number, counted, or NULL. */
struct ve_struct *ve_lookup(envid_t veid);

/* Lowest registered veid above @after, its state in @state; 0 when none. */
envid_t ve_next_id(envid_t after, int *state);

/* May a VE go from one state to the other? */
bool ve_state_may(enum env_state from, enum env_state to);

/*
 * Go to @to and wake pollers: 0, or -EBUSY when the table of transitions has
 * no such step (the state has moved on meanwhile).
 */
int ve_set_state(struct ve_struct *ve, enum env_state to);

/* Visit each VE, live or dying, under the list's lock; @fn must not sleep. */
void ve_for_each(void (*fn)(struct ve_struct *ve, void *arg), void *arg);

/* ub/: beancounters */
int ub_start(struct user_beancounter *ub, envid_t veid, struct cgroup *acct);
void ub_stop(struct user_beancounter *ub);
int ub_set(struct ve_struct *ve, const struct env_ublimit *limits, u32 nr,
	   u32 flags);
void ub_stat(struct user_beancounter *ub, int resource, struct env_ubstat *stat);
int ub_events_open(void);

/* cpu.c */
void ve_cpu_init(struct ve_struct *ve);
void ve_cpu_stop(struct ve_struct *ve);
void ve_cpu_free(struct ve_struct *ve);
int ve_cpu_apply(struct ve_struct *ve);
int ve_cpu_set(struct ve_struct *ve, const struct env_cpu *arg);

/* fd.c: VE descriptors */
int ve_fd_install(struct ve_struct *ve);
struct file *ve_file_create(struct ve_struct *ve);
struct ve_struct *ve_from_file(struct file *file); /* borrowed, or NULL */
void ve_file_seen(struct file *file);

/* proc_fd.c: a process that was spawned from outside, and its descriptor */
struct ve_proc {
	refcount_t		ref;
	struct ve_struct	*ve;	/* counted */
	struct pid		*pid;	/* counted, set before the first wake-up */
	bool			is_init;
	int			state;	/* enum env_proc_state, under wait.lock */
	u32			exec_error;
	u32			exit_status;
	wait_queue_head_t	wait;
	struct rcu_head		rcu;
#ifdef CONFIG_FAULT_INJECTION
	unsigned int		fail_nth; /* left of the spawner's after exec */
#endif
};

struct ve_proc *ve_proc_alloc(struct ve_struct *ve, bool is_init);
void ve_proc_put(struct ve_proc *proc);
void ve_proc_execed(struct ve_proc *proc, int error);
struct file *ve_proc_file_create(struct ve_proc *proc);
struct ve_proc *ve_proc_from_file(struct file *file); /* borrowed, or NULL */

/* args.c: what env_exec says, copied from user space and checked */
struct ve_exec {
	char			*path;
	char			*cwd;
	const char		**argv;
	const char		**envp;
	u32			flags;
	u32			uid, gid;
	int			nr_fds;
	struct file		*files[ENV_EXEC_MAX_FDS];
	int			dst[ENV_EXEC_MAX_FDS];
	size_t			bytes;	/* of all strings */
	unsigned int		strings;
};

int ve_exec_copy(struct ve_exec *ex, const struct env_exec *u);
void ve_exec_release(struct ve_exec *ex);
int ve_create_check(const struct env_create_args *args);

/* spawn.c */

/*
 * Create a process in @ve and let it run.  @ex is taken over, also on error.
 * Caller holds ve->lock.  Returns the process object, counted, or an error;
 * the result of exec comes to the process object.
 */
struct ve_proc *ve_spawn(struct ve_struct *ve, struct ve_exec *ex,
			 struct file *cgroup, bool is_init);

/* stop.c */
void ve_drop_context(struct ve_struct *ve);
void ve_queue_drop(struct ve_struct *ve);

/* create.c */
int ve_start(struct ve_struct *ve, const struct env_create_args *args);
bool ve_may_control(void);

/* pty.c */
int ve_open_pty(struct ve_struct *ve, struct env_pty *pty);


#endif
