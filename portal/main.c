// SPDX-License-Identifier: Apache-2.0
/*
 * ve-portald: reads its configuration, binds the socket, starts the two parts
 * again as processes of their own (fresh address spaces, the descriptors they
 * need and no other) and starts a part that dies anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/front.h"
#include "agent/libve/log.h"
#include "portal/certs.h"
#include "portal/channel.h"
#include "portal/conf.h"
#include "portal/front.h"
#include "portal/operator.h"
#include "portal/web.h"

#define FD_CHANNEL 3
#define FD_LISTEN 4
#define FD_CERTS 5

static const char usage[] =
	"usage: ve-portald -c FILE                 run\n"
	"       ve-portald -t -c FILE              check the configuration\n"
	"       ve-portald -o EMAIL -d CONNINFO    make an operator's account\n";

#define PARTS 2

struct part {
	const char *name;
	int channel, listen; /* what it is given; -1 for none */
	int certs[2]; /* ours and its end */
	struct tls_files files; /* what it shows */
	pid_t pid;
	time_t started;
};

/* In the child: only what the part needs is at its place, then exec. */
static void become(const struct part *p, const char *file)
{
	int channel = fcntl(p->channel, F_DUPFD, 10);
	int listen = p->listen < 0 ? -1 : fcntl(p->listen, F_DUPFD, 10);
	int certs = fcntl(p->certs[1], F_DUPFD, 10);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (channel < 0 || dup2(channel, FD_CHANNEL) < 0 || certs < 0 ||
	    dup2(certs, FD_CERTS) < 0)
		_exit(1);
	if (listen >= 0)
		dup2(listen, FD_LISTEN);
	else
		close(FD_LISTEN);
	close_range(FD_CERTS + 1, ~0u, 0);
	execl("/proc/self/exe", "ve-portald", "-P", p->name, "-c", file, NULL);
	_exit(1);
}

static int start(struct part *p, const char *file)
{
	p->started = time(NULL);
	p->pid = fork();
	if (!p->pid)
		become(p, file);
	return p->pid < 0 ? -errno : 0;
}

static void stop(struct part *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGTERM);
	waitpid(p->pid, NULL, 0);
}

static void restart(struct part *p, const char *file, int status)
{
	const struct timespec pause = { .tv_sec = 1 };

	log_err("%s ended with %s %d", p->name,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (time(NULL) - p->started < 2)
		nanosleep(&pause, NULL);
	if (start(p, file))
		fatal("cannot start %s", p->name);
}

/* A connection takes two descriptors in each part. */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
	if (setrlimit(RLIMIT_NOFILE, &r))
		log_warn("the limit of open files stays as it is");
}

/* SIGHUP: each part gets its certificates anew. */
static void renew(const struct part *parts)
{
	for (int i = 0; i < PARTS; i++) {
		struct err e = { 0 };

		if (certs_send(parts[i].certs[0], &parts[i].files, &e))
			log_err("%s keeps its certificates: %s", parts[i].name,
				e.text);
	}
}

static void collect(struct part *parts, const char *file)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < PARTS; i++)
			if (parts[i].pid == pid)
				restart(&parts[i], file, status);
}

/* Until a signal says that it is over. */
static void keep_up(struct part *parts, const char *file, const sigset_t *set)
{
	int sig;

	for (;;) {
		if (sigwait(set, &sig))
			continue;
		if (sig == SIGTERM || sig == SIGINT)
			return;
		if (sig == SIGHUP)
			renew(parts);
		else
			collect(parts, file);
	}
}

static int supervise(const struct conf *c, const char *file)
{
	struct part parts[PARTS] = {
		{ .name = "web",
		  .listen = -1,
		  .files = { c->terminal_cert, c->terminal_key, c->node_ca } },
		{ .name = "front", .files = { c->tls_cert, c->tls_key, NULL } }
	};
	struct err e = { 0 };
	sigset_t set;
	int ends[2];

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise_limit();
	parts[1].listen = front_listen(c->listen, &e);
	if (parts[1].listen < 0)
		fatal("%s", e.text);
	if (channel_create(ends))
		fatal("no channel");
	parts[0].channel = ends[0];
	parts[1].channel = ends[1];
	for (int i = 0; i < PARTS; i++)
		if (certs_create(parts[i].certs) || start(&parts[i], file))
			fatal("cannot start %s", parts[i].name);
	keep_up(parts, file, &set);
	stop(&parts[1]);
	stop(&parts[0]);
	return 0;
}

static int run_part(const char *name, const struct conf *c)
{
	struct err e = { 0 };
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(name, "front")) {
		log_init("ve-portald front");
		rc = front_run(c, FD_LISTEN, FD_CHANNEL, FD_CERTS, &e);
	} else {
		log_init("ve-portald web");
		rc = web_run(c, FD_CHANNEL, FD_CERTS, &e);
	}
	if (rc)
		log_err("%s", e.text);
	return 1;
}

static void read_conf(struct conf *c, const char *file)
{
	static const char *const needed[] = {
		"listen", "tls_cert", "tls_key",       "public_url",   "db",
		"www",	  "node_ca",  "terminal_cert", "terminal_key", NULL
	};
	struct err e = { 0 };

	if (conf_read(c, file, &e) || conf_need(c, file, needed, &e))
		fatal("%s", e.text);
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-portald.conf", *part = NULL;
	const char *operator= NULL, *db = NULL;
	bool test = false;
	_conf_ struct conf c = { 0 };
	int opt;

	log_init("ve-portald");
	while ((opt = getopt(argc, argv, "c:d:o:P:t")) != -1) {
		if (opt == 'c')
			file = optarg;
		else if (opt == 'd')
			db = optarg;
		else if (opt == 'o')
			operator= optarg;
		else if (opt == 'P')
			part = optarg;
		else if (opt == 't')
			test = true;
		else
			return fputs(usage, stderr), 2;
	}
	if (operator)
		return operator_create(operator, db);
	read_conf(&c, file);
	if (test)
		return 0;
	return part ? run_part(part, &c) : supervise(&c, file);
}
