// SPDX-License-Identifier: Apache-2.0
#include "agent/venv.h"

#include <errno.h>
#include <linux/ve.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ABI 1

static int ctl(int fd, unsigned cmd, void *arg, size_t size)
{
	long r = syscall(__NR_env_ctl, fd, cmd, arg, size);

	return r < 0 ? -errno : (int)r;
}

int venv_abi(void)
{
	struct env_list l = { 0 };
	int r = ctl(-1, ENV_CTL_LIST, &l, sizeof(l));

	return r == -ENOSYS ? r : ABI;
}

static void fill_exec(struct env_exec *x, const struct venv_run *run,
		      struct env_fdmap *map)
{
	for (unsigned i = 0; i < run->nfds; i++)
		map[i] =
			(struct env_fdmap){ .src = run->fds[i], .dst = (int)i };
	*x = (struct env_exec){
		.path = (uintptr_t)run->path,
		.argv = (uintptr_t)run->argv,
		.envp = (uintptr_t)run->envp,
		.cwd = (uintptr_t)run->cwd,
		.fds = (uintptr_t)(run->nfds ? map : NULL),
		.nr_fds = run->nfds,
		.flags = run->ctty ? ENV_EXEC_CTTY : 0,
	};
}

int venv_hold(uint32_t id_first, uint32_t id_count)
{
	struct env_create_args a = {
		.flags = ENV_CREATE_HOLD,
		.id_first = id_first,
		.id_count = id_count,
		.root_fd = -1,
		.cgroup_fd = -1,
		.acct_cgroup_fd = -1,
	};
	long r = syscall(__NR_env_create, &a, sizeof(a));

	return r < 0 ? -errno : (int)r;
}

int venv_ids(int fd)
{
	return ctl(fd, ENV_CTL_OPEN_USER, NULL, 0);
}

int venv_start(int fd, const struct venv_spec *s)
{
	struct env_fdmap map[ENV_EXEC_MAX_FDS];
	struct env_create_args a = {
		.veid = s->veid,
		.root_fd = s->root_fd,
		.cgroup_fd = s->init_cgroup_fd,
		.acct_cgroup_fd = s->cgroup_fd,
		.hostname = (uintptr_t)s->hostname,
	};

	if (s->init.nfds > ENV_EXEC_MAX_FDS)
		return -EINVAL;
	fill_exec(&a.init, &s->init, map);
	return ctl(fd, ENV_CTL_START, &a, sizeof(a));
}

int venv_open(uint32_t veid)
{
	envid_t id = veid;

	return ctl(-1, ENV_CTL_OPEN, &id, sizeof(id));
}

int venv_query(int fd, struct msg_entry *e)
{
	struct env_info i = { 0 };
	int r = ctl(fd, ENV_CTL_QUERY, &i, sizeof(i));

	*e = (struct msg_entry){
		.veid = i.veid,
		.state = i.state,
		.id_first = i.id_first,
		.exit_status = i.exit_status,
		.halt = i.halt,
		.exec_error = i.exec_error,
	};
	return r < 0 ? r : 0;
}

int venv_list(uint32_t after, uint32_t *veids, uint32_t room)
{
	struct env_list_entry e[MSG_ENTRIES];
	struct env_list l = { .entries = (uintptr_t)e, .after = after };
	int r;

	l.nr = room < MSG_ENTRIES ? room : MSG_ENTRIES;
	r = ctl(-1, ENV_CTL_LIST, &l, sizeof(l));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < l.nr && i < room; i++)
		veids[i] = e[i].veid;
	return (int)l.nr;
}

int venv_signal(int fd, int sig)
{
	uint32_t s = (uint32_t)sig;

	return ctl(fd, ENV_CTL_SIGNAL, &s, sizeof(s));
}

int venv_kill(int fd)
{
	return ctl(fd, ENV_CTL_KILL, NULL, 0);
}

int venv_freeze(int fd, bool freeze)
{
	return ctl(fd, freeze ? ENV_CTL_FREEZE : ENV_CTL_THAW, NULL, 0);
}

int venv_activity(int fd, struct msg_activity *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct env_activity k = { 0 };
	int r = ctl(fd, ENV_CTL_ACTIVITY, &k, sizeof(k));

	if (r < 0)
		return r;
	a->last_rx = (int64_t)(k.last_rx / 1000000);
	a->port = k.port;
	a->protocol = k.protocol;
	a->peer = (struct addr){ .family = 6 };
	if (memcmp(k.peer, mapped, sizeof(mapped))) {
		memcpy(a->peer.bytes, k.peer, 16);
	} else {
		a->peer.family = 4;
		memcpy(a->peer.bytes, k.peer + 12, 4);
	}
	return 0;
}

int venv_pty(int fd, uint16_t cols, uint16_t rows, int *master, int *slave)
{
	struct env_pty p = {
		.master = -1, .slave = -1, .cols = cols, .rows = rows
	};
	int r = ctl(fd, ENV_CTL_OPEN_PTY, &p, sizeof(p));

	*master = p.master;
	*slave = p.slave;
	return r < 0 ? r : 0;
}

int venv_enter(int fd, int cgroup_fd, const struct venv_run *run)
{
	struct env_fdmap map[ENV_EXEC_MAX_FDS];
	struct env_enter_args a = { .cgroup_fd = cgroup_fd };
	long r;

	if (run->nfds > ENV_EXEC_MAX_FDS)
		return -EINVAL;
	fill_exec(&a.exec, run, map);
	r = syscall(__NR_env_enter, fd, &a, sizeof(a));
	return r < 0 ? -errno : (int)r;
}

int venv_proc_query(int fd, struct venv_proc *p)
{
	struct env_proc_info i = { 0 };
	int r = ctl(fd, ENV_CTL_QUERY, &i, sizeof(i));

	*p = (struct venv_proc){
		.exited = i.state == ENV_PROC_EXITED,
		.exec_error = i.exec_error,
		.exit_status = i.exit_status,
	};
	return r < 0 ? r : 0;
}

static int change_addr(int fd, unsigned cmd, const struct addr *a,
		       struct env_ip *ip)
{
	int r;

	ip->family = a->family == 4 ? AF_INET : AF_INET6;
	memcpy(ip->addr, a->bytes, sizeof(ip->addr));
	r = ctl(fd, cmd, ip, sizeof(*ip));
	return r < 0 ? r : 0;
}

int venv_addr_add(int fd, const struct addr *a, uint32_t epoch, int64_t until)
{
	struct env_ip ip = { .epoch = epoch,
			     .deadline = (uint64_t)until * 1000000 };

	return change_addr(fd, ENV_CTL_IP_ADD, a, &ip);
}

int venv_addr_del(int fd, const struct addr *a)
{
	struct env_ip ip = { .epoch = 0 };

	return change_addr(fd, ENV_CTL_IP_DEL, a, &ip);
}
