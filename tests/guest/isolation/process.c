// SPDX-License-Identifier: Apache-2.0
/* Isolation of processes: tasks of the node and of another VE are neither found nor reached. */
#include "iso.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Newer than the C library's headers (include/uapi/linux/pidfd.h, asm-generic/socket.h) */
#define PIDFD_GET_MNT_NAMESPACE _IO(0xff, 3)
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int steal_from_cousin(void)
{
	return iso_errno(syscall(SYS_pidfd_getfd, FD_COUSIN, 0, 0));
}

static int steal_from_victim(void)
{
	return iso_errno(syscall(SYS_pidfd_getfd, FD_VICTIM, 0, 0));
}

static int steal_from_self(void)
{
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0), own = open("/proc/version", O_RDONLY);

	return iso_errno(syscall(SYS_pidfd_getfd, self, own, 0));
}

static int signal_victim(void)
{
	return iso_errno(syscall(SYS_pidfd_send_signal, FD_VICTIM, 0, NULL, 0));
}

static int enter_namespace(void)
{
	return iso_errno(setns(FD_NS, CLONE_NEWNS));
}

/*
 * Of all the numbers that there are, which answer?  Precisely those that the node counts in this VE; one more, or
 * VE B's process by its number on the node, is one from outside.
 */
static int find_others(bool (*answers)(int pid))
{
	struct iso_processes p;

	if (!iso_processes(&p))
		return BROKEN;
	for (int pid = 1; pid <= p.highest; pid++) {
		bool own = false, found = answers(pid);

		for (int i = 0; i < p.nr; i++)
			own |= p.own[i] == pid;
		if (found && !own && (p.nr || pid == p.neighbour))
			return 0;
		if (own && !found)
			return BROKEN; /* a search that finds nothing proves nothing */
	}
	return ESRCH;
}

/* A call on a number finds a process unless it says that there is none. */
#define FIND(name, call)                                   \
	static bool answers_##name(int pid)                \
	{                                                  \
		return (call) >= 0 || errno != ESRCH;      \
	}                                                  \
	static int find_by_##name(void)                    \
	{                                                  \
		return find_others(answers_##name);        \
	}
static int close_found(long fd)
{
	return fd < 0 ? -1 : close((int)fd);
}
FIND(kill, kill(pid, 0))
FIND(tgkill, syscall(SYS_tgkill, pid, pid, 0))
FIND(tkill, syscall(SYS_tkill, pid, 0))
/* What the C library's asynchronous I/O tells its end by */
FIND(queueinfo, syscall(SYS_rt_sigqueueinfo, pid, 0, &(siginfo_t){ .si_code = SI_ASYNCIO }))
FIND(tgqueueinfo, syscall(SYS_rt_tgsigqueueinfo, pid, pid, 0, &(siginfo_t){ .si_code = SI_ASYNCIO }))
FIND(readv, process_vm_readv(pid, &(struct iovec){ &(char){ 0 }, 1 }, 1, &(struct iovec){ (void *)1, 1 }, 1, 0))
FIND(writev, process_vm_writev(pid, &(struct iovec){ &(char){ 0 }, 1 }, 1, &(struct iovec){ (void *)1, 1 }, 1, 0))
FIND(clock, clock_getres((clockid_t)(~(unsigned int)pid << 3 | 2), NULL) ? (errno = ESRCH, -1) : 0)
FIND(getpgid, getpgid(pid))
FIND(getsid, getsid(pid))
FIND(priority, (errno = 0, getpriority(PRIO_PROCESS, (id_t)pid) == -1 && errno ? -1 : 0))
FIND(scheduler, sched_getscheduler(pid))
FIND(affinity, syscall(SYS_sched_getaffinity, pid, sizeof(long[16]), (long[16]){ 0 }))
FIND(ioprio, syscall(SYS_ioprio_get, 1 /* a process */, pid))
FIND(prlimit, prlimit(pid, RLIMIT_NOFILE, NULL, &(struct rlimit){ 0 }))
FIND(robust, syscall(SYS_get_robust_list, pid, &(void *){ NULL }, &(size_t){ 0 }))
FIND(pidfd, close_found(syscall(SYS_pidfd_open, pid, 0)))
FIND(owner, fcntl(FD_HELPER, F_SETOWN, pid))

/* ptrace(2) would stop what it finds: a kernel thread refuses, and that too is an answer. */
static bool answers_ptrace(int pid)
{
	return pid == getpid() || syscall(SYS_ptrace, 0x4206 /* PTRACE_SEIZE */, pid, 0, 0) >= 0 || errno != ESRCH;
}

/* By a parent outside; one inside may trace. */
static int be_traced(void)
{
	return iso_errno(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static int trace_child(void)
{
	int pid = fork(), status;

	if (!pid)
		_exit(be_traced());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}

static int memory_of_child(void)
{
	static volatile int word = 1;
	int seen = 0, other = 2, child = fork();
	struct iovec here = { &seen, sizeof(seen) }, there = { (void *)&word, sizeof(word) }, new = { &other, sizeof(other) };

	if (!child)
		for (;;)
			pause();
	if (process_vm_readv(child, &here, 1, &there, 1, 0) != sizeof(seen) || seen != 1 ||
	    process_vm_writev(child, &new, 1, &there, 1, 0) != sizeof(other) ||
	    process_vm_readv(child, &here, 1, &there, 1, 0) != sizeof(seen))
		return errno;
	kill(child, SIGKILL);
	return seen == 2 && word == 1 ? 0 : BROKEN;
}

static int find_by_ptrace(void)
{
	return find_others(answers_ptrace);
}

static bool answers_proc(int pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return access(path, F_OK) == 0;
}

static int find_by_proc(void)
{
	return find_others(answers_proc);
}

/* The number of who opened a socket on the node, and a descriptor of it. */
static int peer_number(void)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(FD_HELPER, SOL_SOCKET, SO_PEERCRED, &c, &n))
		return BROKEN;
	return c.pid ? 0 : ESRCH;
}

static int peer_signal(void)
{
	int fd = -1;
	socklen_t n = sizeof(fd);

	if (getsockopt(FD_HELPER, SOL_SOCKET, SO_PEERPIDFD, &fd, &n))
		return errno;
	return iso_errno(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

static int namespace_of_cousin(void)
{
	return iso_errno(ioctl(FD_COUSIN, PIDFD_GET_MNT_NAMESPACE, 0));
}

static int enter_cousin(void)
{
	return iso_errno(setns(FD_COUSIN, CLONE_NEWUTS));
}

static int advise_cousin(void)
{
	struct iovec none = { NULL, 0 };

	return iso_errno(syscall(SYS_process_madvise, FD_COUSIN, &none, 1, MADV_COLD, 0));
}

static int owner_of_namespace(void)
{
	return iso_errno(ioctl(FD_NS, NS_GET_USERNS));
}

/* Everything that may be killed, the own child among it; who survives is asked on the node. */
static int kill_everything(void)
{
	int status, child = fork();

	if (!child)
		for (;;)
			pause();
	if (child < 0 || kill(-1, SIGKILL))
		return child < 0 ? BROKEN : errno;
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status) ? 0 : BROKEN;
}

/* A signal finds a process that has ended, too, until somebody waits for it: its descriptor tells. */
static int alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	switch (poll(&p, 1, 0)) {
	case 0:
		return 0;
	case 1:
		return p.revents & POLLIN ? ESRCH : BROKEN;
	}
	return BROKEN;
}

static int victim_lives(void)
{
	return alive(FD_VICTIM);
}

static int cousin_lives(void)
{
	return alive(FD_COUSIN);
}

static int neighbour_lives(void)
{
	return alive(FD_NEIGHBOUR);
}

static int reach(const char *hook)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "%s 1", hook); /* PID 1 of the node */

	return iso_errno(write(FD_REACH, line, (size_t)n));
}

#define REACH(hook)                 \
	static int reach_##hook(void) \
	{                           \
		return reach(#hook); \
	}
REACH(kill)
REACH(setnice)
REACH(setpgid)
REACH(getpgid)
REACH(getsid)
REACH(setioprio)
REACH(getioprio)
REACH(setscheduler)
REACH(getscheduler)
REACH(movememory)

static int change_priority_of_init(void)
{
	return iso_errno(setpriority(PRIO_PROCESS, 1, 1));
}

/* Everything of a user at once: outside VE A somebody else has the number of its root. */
enum { NICE = 7, IDLE = 3 << 13 /* a class of I/O */, OF_PROCESS = 1, OF_USER = 3 };

static int calm_user(void)
{
	return iso_errno(setpriority(PRIO_USER, 0, NICE)) ?: iso_errno(syscall(SYS_ioprio_set, OF_USER, 0, IDLE));
}

static int calm(int pid)
{
	return getpriority(PRIO_PROCESS, (id_t)pid) == NICE || syscall(SYS_ioprio_get, OF_PROCESS, pid) == IDLE ? 0 : EPERM;
}

static int init_calm(void)
{
	return calm(1);
}

static int cousin_calm(void)
{
	char path[32], line[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", FD_COUSIN);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Pid: %d", &pid);
	return pid > 0 ? calm(pid) : BROKEN;
}

static const struct iso_row rows[] = {
	{ "descriptor of a process with the same credentials outside", "ptrace", steal_from_cousin, { 0, EPERM, EPERM, EPERM } },
	{ "descriptor of a process of the node", NULL, steal_from_victim, { 0, EPERM, EPERM, EPERM } },
	{ "descriptor of its own process", NULL, steal_from_self, { 0, 0, 0, 0 } },
	{ "being traced by who let it in", NULL, be_traced, { 0, EPERM, EPERM, EPERM } },
	{ "being traced by its parent", NULL, trace_child, { 0, 0, 0, 0 } },
	{ "signal by a process descriptor of the node", NULL, signal_victim, { 0, EINVAL, EINVAL, EINVAL } },
	{ "entering a namespace of the node by its descriptor", NULL, enter_namespace, { 0, EPERM, EPERM, EPERM } },
	{ "entering a namespace of the node", "capable", enter_namespace, { NA, EPERM, NA, EPERM }, .rooted = true },
#define FOUND(how, call) { "processes by guessing numbers for " how, NULL, find_by_##call, { 0, ESRCH, ESRCH, ESRCH } }
	FOUND("kill", kill),
	FOUND("tgkill", tgkill),
	FOUND("tkill", tkill),
	FOUND("rt_sigqueueinfo", queueinfo),
	FOUND("rt_tgsigqueueinfo", tgqueueinfo),
	FOUND("process_vm_readv", readv),
	FOUND("process_vm_writev", writev),
	FOUND("its clock of CPU time", clock),
	FOUND("getpgid", getpgid),
	FOUND("getsid", getsid),
	FOUND("getpriority", priority),
	FOUND("sched_getscheduler", scheduler),
	FOUND("sched_getaffinity", affinity),
	FOUND("ioprio_get", ioprio),
	FOUND("prlimit", prlimit),
	FOUND("get_robust_list", robust),
	FOUND("pidfd_open", pidfd),
	FOUND("F_SETOWN", owner),
	FOUND("ptrace", ptrace),
	FOUND("/proc", proc),
	{ "reading and writing its own child's memory", NULL, memory_of_child, { 0, 0, 0, 0 } },
	{ "the number of a socket's peer on the node", NULL, peer_number, { 0, ESRCH, ESRCH, ESRCH } },
	{ "a signal to a socket's peer on the node", NULL, peer_signal, { 0, EINVAL, EINVAL, EINVAL } },
	{ "a namespace of a process with the same credentials outside", "ptrace", namespace_of_cousin, { 0, EACCES, EACCES, EACCES } },
	{ "entering what that process is in", "ptrace", enter_cousin, { 0, EPERM, EPERM, EPERM } },
	{ "advice on that process's memory", "ptrace", advise_cousin, { 0, EACCES, EACCES, EACCES } },
	{ "the owner of a namespace of the node", NULL, owner_of_namespace, { 0, EPERM, EPERM, EPERM } },
	{ "killing everything", NULL, kill_everything, { NA, 0, 0, NA } },
	{ "a process of the node alive after that", NULL, victim_lives, { 0, NA, NA, NA } },
	{ "one with VE A's credentials alive after that", NULL, cousin_lives, { 0, NA, NA, NA } },
	{ "one of VE B alive after that", NULL, neighbour_lives, { 0, NA, NA, NA } },
	{ "killing everything of VE B", NULL, kill_everything, { NA, NA, NA, 0 } },
	{ "the node's alive after that, too", NULL, victim_lives, { 0, NA, NA, NA } },
	{ "VE B's alive after that", NULL, neighbour_lives, { ESRCH, NA, NA, NA } },
	{ "priority of its own init", NULL, change_priority_of_init, { NA, 0, EPERM, 0 } },
	{ "calming all of its user's processes", NULL, calm_user, { NA, 0, NA, NA } },
	{ "its init among them", NULL, init_calm, { NA, 0, NA, NA } },
	{ "one outside with VE A's credentials among them", NULL, cousin_calm, { EPERM, NA, NA, NA } },
#define REACHED(hook, guard) \
	{ #hook " of the node's init, once found,", guard, reach_##hook, { 0, EPERM, NA, EPERM }, .rooted = true }
	REACHED(kill, "kill"),		REACHED(setnice, "task"),
	REACHED(setpgid, "task"),	REACHED(getpgid, "task"),
	REACHED(getsid, "task"),	REACHED(setioprio, "task"),
	REACHED(getioprio, "task"),	REACHED(setscheduler, "task"),
	REACHED(getscheduler, "task"),	REACHED(movememory, "task"),
};

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), NULL);
}
