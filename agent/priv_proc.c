// SPDX-License-Identifier: Apache-2.0
#include "agent/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "agent/cgroup.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"
#include "agent/name.h"
#include "agent/part.h"
#include "agent/venv.h"

/* What a person and a shell call an exit: 0..255, 128 + signal. */
static uint32_t plain_status(const struct venv_proc *s)
{
	if (s->exec_error)
		return s->exec_error == ENOENT ? 127 : 126;
	if (WIFSIGNALED(s->exit_status))
		return 128 + (uint32_t)WTERMSIG(s->exit_status);
	return (uint32_t)WEXITSTATUS(s->exit_status);
}

static void forget(struct priv *p, struct priv_proc *proc)
{
	struct msg_keep drop = { .head.type = MSG_DROP, .key = proc->key };

	for (struct priv_proc **at = &p->procs; *at; at = &(*at)->next) {
		if (*at != proc)
			continue;
		*at = proc->next;
		break;
	}
	msg_send(p->supervisor.fd, &drop, NULL, 0);
	priv_unwatch(p, &proc->watch);
	close(proc->status_fd);
	free(proc);
}

void priv_proc_event(struct priv *p, struct priv_proc *proc)
{
	struct venv_proc s;
	uint32_t status = 255;
	int r = venv_proc_query(proc->watch.fd, &s);

	if (r == 0 && !s.exited)
		return;
	if (r == 0)
		status = plain_status(&s);
	if (write(proc->status_fd, &status, sizeof(status)) < 0 &&
	    errno != EPIPE)
		log_warn("an exit status is lost: %s", strerror(errno));
	forget(p, proc);
}

/* Takes the two descriptors. */
static int follow(struct priv *p, int proc_fd, int status_fd, uint64_t key)
{
	struct priv_proc *proc = xcalloc(1, sizeof(*proc));

	proc->watch = (struct watch){ WATCH_PROC, proc_fd };
	proc->status_fd = status_fd;
	proc->key = key;
	if (priv_watch(p, &proc->watch, EPOLLIN | EPOLLET) < 0) {
		close(proc_fd);
		close(status_fd);
		free(proc);
		return -ENOMEM;
	}
	proc->next = p->procs;
	p->procs = proc;
	return 0;
}

void priv_proc_kept(struct priv *p, struct msg *m)
{
	if (m->nfds != 2)
		return;
	if (m->m.keep.key >= p->next_key)
		p->next_key = m->m.keep.key + 1;
	follow(p, take_fd(&m->fds[0]), take_fd(&m->fds[1]), m->m.keep.key);
}

/* Hand the process to the supervisor too, so that our death loses nothing. */
static void keep(struct priv *p, int proc_fd, int status_fd)
{
	struct msg_keep k = { .head.type = MSG_KEEP, .key = p->next_key };
	int fds[2] = { proc_fd, status_fd };

	msg_send(p->supervisor.fd, &k, fds, 2);
}

static const char *shell_of(const char *template)
{
	return strcmp(template, "tiny") ? "/bin/bash" : "/bin/sh";
}

struct entry {
	struct priv_ve *ve;
	const char *template, *command; /* NULL: the login shell */
	const int *fds; /* 0, 1, 2 of the process */
	bool tty;
};

/* Run a shell in the VE; the reading end of its status, or -errno. */
static int enter(struct priv *p, const struct entry *en, struct err *e)
{
	const char *shell = shell_of(en->template);
	char *shell_env _free_ = xasprintf("SHELL=%s", shell);
	char *argv[] = { (char *)shell, (char *)(en->command ? "-c" : "-l"),
			 (char *)en->command, NULL };
	char *envp[] = { (char *)"HOME=/root",
			 (char *)"USER=root",
			 (char *)"LOGNAME=root",
			 shell_env,
			 (char *)"PATH=/usr/local/sbin:/usr/local/bin:"
				 "/usr/sbin:/usr/bin:/sbin:/bin",
			 (char *)"LANG=C.UTF-8",
			 (char *)(en->tty ? "TERM=xterm-256color" : NULL),
			 NULL };
	struct venv_run run = { .path = shell,
				.argv = argv,
				.envp = envp,
				.cwd = "/root",
				.fds = en->fds,
				.nfds = 3,
				.ctty = en->tty };
	struct cgroup_fds g _cgroup_ = { -1, -1, -1 };
	uint32_t veid = en->ve->last.veid;
	int status[2], fd;

	if (cgroup_open(p->conf->cgroup, en->ve->last.id_first, &g, e) < 0)
		return -EIO;
	if (pipe2(status, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	fd = venv_enter(en->ve->watch.fd, g.enter, &run);
	if (fd < 0) {
		close(status[0]);
		close(status[1]);
		return err_set(e, fd, "env_enter of VE %" PRIu32 ": %s", veid,
			       strerror(-fd));
	}
	keep(p, fd, status[1]);
	if (follow(p, fd, status[1], p->next_key++) < 0) {
		close(status[0]);
		return err_set(e, -ENOMEM, "the process cannot be watched");
	}
	return status[0];
}

int answer_tty(struct priv *p, const struct msg *m, int *fds, struct err *e)
{
	const struct msg_tty *t = &m->m.tty;
	struct priv_ve *v = priv_find(p, t->veid);
	int master _close_ = -1, slave _close_ = -1;
	int r, stdio[3];
	struct entry en = {
		.ve = v,
		.template = t->template,
		.command = t->command[0] ? t->command : NULL,
		.fds = stdio,
		.tty = true,
	};

	if (!is_name(t->template) || t->cols < 1 || t->rows < 1 ||
	    t->cols > TERM_SIZE_MAX || t->rows > TERM_SIZE_MAX)
		return err_set(e, -EINVAL, "tty: a field is out of range");
	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       t->veid);
	r = venv_pty(v->watch.fd, t->cols, t->rows, &master, &slave);
	if (r < 0)
		return err_set(e, r, "pty of VE %" PRIu32 ": %s", t->veid,
			       strerror(-r));
	stdio[0] = stdio[1] = stdio[2] = slave;
	r = enter(p, &en, e);
	if (r < 0)
		return r;
	fds[0] = take_fd(&master);
	fds[1] = r;
	return 2;
}

/* Three pipes, the VE's ends owned by the VE's root (/dev/stdout works). */
static int make_pipes(int theirs[3], int ours[3], uint32_t owner)
{
	for (int i = 0; i < 3; i++) {
		int fd[2];

		if (pipe2(fd, O_CLOEXEC) < 0)
			return -errno;
		theirs[i] = fd[i ? 1 : 0];
		ours[i] = fd[i ? 0 : 1];
		if (fchown(theirs[i], owner, owner) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

static void close_three(int fds[3])
{
	for (int i = 0; i < 3; i++)
		clean_close(&fds[i]);
}

int answer_exec(struct priv *p, const struct msg *m, int *fds, struct err *e)
{
	const struct msg_exec *x = &m->m.exec;
	struct priv_ve *v = priv_find(p, x->veid);
	int theirs[3] = { -1, -1, -1 }, ours[3] = { -1, -1, -1 }, r;
	struct entry en = { .ve = v,
			    .template = x->template,
			    .fds = theirs,
			    .command = x->command[0] ? x->command : NULL };

	if (!is_name(x->template))
		return err_set(e, -EINVAL, "exec: a field is out of range");
	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       x->veid);
	r = make_pipes(theirs, ours, v->last.id_first);
	r = r < 0 ? err_set(e, r, "pipes: %s", strerror(-r)) : enter(p, &en, e);
	close_three(theirs);
	if (r < 0) {
		close_three(ours);
		return r;
	}
	memcpy(fds, ours, sizeof(ours));
	fds[3] = r;
	return 4;
}

int answer_port(struct priv *p, const struct msg *m, int *fds, struct err *e)
{
	uint32_t veid = m->m.ve.veid, port = m->m.ve.arg;
	struct priv_ve *v = priv_find(p, veid);

	if (port < 1 || port > 65535)
		return err_set(e, -EINVAL, "%" PRIu32 " is no port", port);
	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       veid);
	fds[0] = venv_connect(v->watch.fd, (uint16_t)port);
	return fds[0] < 0 ? err_set(e, fds[0],
				    "port %" PRIu32 " of VE %" PRIu32 ": %s",
				    port, veid, strerror(-fds[0]))
			  : 1;
}
