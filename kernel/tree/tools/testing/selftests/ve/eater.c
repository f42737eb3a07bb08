// SPDX-License-Identifier: GPL-2.0-only
#include "eater.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *init[] = { "/sbin/init", NULL };

struct env_ubstat stat_of(const struct env_ve *ve, int resource)
{
	struct env_ubstat all[UB_RESOURCES];
	struct env_ubstats arg = { .stats = (uintptr_t)all, .nr = UB_RESOURCES };

	if (env_ctl(ve->fd, ENV_CTL_UB_STAT, &arg, sizeof(arg)))
		die("UB_STAT");
	return all[resource];
}

int set_bound(int fd, uint32_t resource, uint64_t barrier, uint64_t limit)
{
	struct env_ublimit l = { .resource = resource, .barrier = barrier,
				 .limit = limit };
	struct env_ublimits arg = { .limits = (uintptr_t)&l, .nr = 1 };

	return env_ctl(fd, ENV_CTL_UB_SET, &arg, sizeof(arg));
}

uint64_t settle(const struct env_ve *ve, int resource, uint64_t want)
{
	struct env_ubstat s = {};

	for (int i = 0; i < 200; i++) {
		s = stat_of(ve, resource);
		if (s.held <= want)
			break;
		usleep(50000);
	}
	return s.held;
}

struct eater may_eat(const struct env_ve *ve, const char *row, int most)
{
	char count[16], line[64] = "";
	char *argv[] = { "/root/eat", (char *)row, count, NULL };
	struct eater e = { .got = -1, .error = -1 };
	int in[2], said[2];
	ssize_t n, len = 0;

	snprintf(count, sizeof(count), "%d", most);
	if (pipe2(in, O_CLOEXEC) || pipe2(said, O_CLOEXEC))
		die("pipe");
	e.proc = env_run_with(ve, argv, in[0], said[1]);
	close(in[0]);
	close(said[1]);
	if (e.proc < 0) {
		e.error = errno;
		close(in[1]);
		close(said[0]);
		return e;
	}
	e.in = in[1];
	while (!strchr(line, '\n') && len < (ssize_t)sizeof(line) - 1 &&
	       (n = read(said[0], line + len, sizeof(line) - 1 - (size_t)len)) > 0)
		len += n;
	close(said[0]);
	sscanf(line, "%d %d", &e.got, &e.error);
	return e;
}

struct eater eat(const struct env_ve *ve, const char *row, int most)
{
	struct eater e = may_eat(ve, row, most);

	if (e.proc < 0) {
		errno = e.error;
		die("eating %s", row);
	}
	return e;
}

int finish(struct eater *e)
{
	int status;

	close(e->in);
	status = env_wait(e->proc);
	close(e->proc);
	return status;
}

struct env_ve eater_ve(envid_t id, const char *program)
{
	struct env_create_args args;
	struct env_ve ve;
	char path[64];

	env_prepare(&ve, id, "/usr/share/ve/template/tiny", &args, init);
	snprintf(path, sizeof(path), "/bin/%s", program);
	env_put(&ve, path, "eat");
	args.features = ENV_FEAT_NETFILTER;
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("env_create");
	close(args.root_fd);
	env_settle(&ve);
	return ve;
}
