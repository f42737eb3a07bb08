// SPDX-License-Identifier: GPL-2.0-only
/*
 * verun [--template DIR] [--features NAME,...] [--put FILE]... COMMAND...: run a
 * command as root in a fresh VE and exit with its status.
 */
#include "envlib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const struct env_ve *ve, const char *file)
{
	const char *name = strrchr(file, '/');

	env_put(ve, file, name ? name + 1 : file);
}

static unsigned long long features_of(char *names)
{
	static const struct {
		const char *name;
		unsigned long long bit;
	} all[] = {
		{ "nesting", ENV_FEAT_NESTING }, { "netfilter", ENV_FEAT_NETFILTER },
		{ "packet", ENV_FEAT_PACKET },	 { "tun", ENV_FEAT_TUN },
		{ "fuse", ENV_FEAT_FUSE },	 { "net_sysctl", ENV_FEAT_NET_SYSCTL },
	};
	unsigned long long bits = 0;

	for (char *n = strtok(names, ","); n; n = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < sizeof(all) / sizeof(all[0]) && strcmp(all[i].name, n))
			i++;
		if (i == sizeof(all) / sizeof(all[0]))
			die("no feature is called %s", n);
		bits |= all[i].bit;
	}
	return bits;
}

int main(int argc, char **argv)
{
	__u64 features = 0;
	const char *templ = "/usr/share/ve/template/tiny";
	char *init[] = { "/sbin/init", NULL };
	struct env_create_args args;
	struct env_ve ve;
	int fd, status, i = 1;

	env_require();
	if (argc > i + 1 && !strcmp(argv[i], "--template")) {
		templ = argv[i + 1];
		i += 2;
	}
	if (argc > i + 1 && !strcmp(argv[i], "--features")) {
		features = features_of(argv[i + 1]);
		i += 2;
	}
	env_prepare(&ve, 1, templ, &args, init);
	for (; argc > i + 1 && !strcmp(argv[i], "--put"); i += 2)
		put(&ve, argv[i + 1]);
	if (i >= argc) {
		fputs("usage: verun [--template DIR] [--features NAME,...] [--put FILE]... COMMAND...\n",
		      stderr);
		return 2;
	}
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("env_create");
	close(args.root_fd);
	if (features && env_ctl(ve.fd, ENV_CTL_FEATURES, &features, sizeof(features)))
		die("features");
	if (!strchr(argv[i], '/')) {
		/* as a shell would find it */
		static char *sh[] = { "/bin/sh", "-c", "exec \"$0\" \"$@\"" };
		char *full[64] = { sh[0], sh[1], sh[2] };
		int n = 3;

		for (; i < argc && n < 63; i++)
			full[n++] = argv[i];
		fd = env_run(&ve, full);
	} else {
		fd = env_run(&ve, argv + i);
	}
	if (fd < 0)
		die("env_enter");
	status = env_wait(fd);
	close(fd);
	env_destroy(&ve);
	if (status < 0) {
		errno = -status;
		fprintf(stderr, "verun: %s: %s\n", argv[i < argc ? i : argc - 1],
			strerror(errno));
		return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}
