// SPDX-License-Identifier: Apache-2.0
/* IPC and names: each VE has its own, the node another. */
#include "iso.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY 0x5645

enum name { STREAM, DGRAM, ABSTRACT };

static int open_socket(enum name name, struct sockaddr_un *a, socklen_t *len)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* an abstract name begins with a NUL */
	len[0] = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     (size_t)snprintf(a->sun_path, sizeof(a->sun_path), name == ABSTRACT ? "%cvestibule" :
					      "/proc/self/fd/%d/%s", name == ABSTRACT ? 0 : FD_SHARED,
					      name == DGRAM ? "dgram" : "stream"));
	return socket(AF_UNIX, name == DGRAM ? SOCK_DGRAM : SOCK_STREAM, 0);
}

/* Left running in VE A: one of everything, the semaphores last. */
static int own_everything(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	struct sockaddr_un a;
	socklen_t len;

	umask(0);
	for (enum name name = STREAM; name <= ABSTRACT; name++) {
		int s = open_socket(name, &a, &len);

		if (bind(s, (struct sockaddr *)&a, len) || (name != DGRAM && listen(s, 100)))
			return BROKEN;
	}
	if (shmget(KEY, 4096, IPC_CREAT | 0666) < 0 || msgget(KEY, IPC_CREAT | 0666) < 0 ||
	    mq_open("/vestibule", O_CREAT | O_RDWR, 0666, &attr) < 0 || semget(KEY, 1, IPC_CREAT | 0666) < 0)
		return BROKEN;
	for (;;)
		pause();
}

static int connect_to(enum name name)
{
	struct sockaddr_un a;
	socklen_t len;
	int sock = open_socket(name, &a, &len);

	return iso_errno(connect(sock, (struct sockaddr *)&a, len));
}

static int connect_by_path(void)
{
	return connect_to(STREAM);
}

static int connect_by_name(void)
{
	return connect_to(ABSTRACT);
}

static int send_by_path(void)
{
	struct sockaddr_un a;
	socklen_t len;
	int sock = open_socket(DGRAM, &a, &len);

	return iso_errno(sendto(sock, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&a, len));
}

static int memory_by_key(void)
{
	return iso_errno(shmget(KEY, 0, 0));
}

static int messages_by_key(void)
{
	return iso_errno(msgget(KEY, 0));
}

static int semaphores_by_key(void)
{
	return iso_errno(semget(KEY, 0, 0));
}

/* By index over all that there are, permissions or not. */
static int memory_by_index(void)
{
	struct shmid_ds ds;

	for (int i = 0; i < 128; i++)
		if (shmctl(i, 15 /* SHM_STAT_ANY */, &ds) >= 0)
			return 0;
	return ENOENT;
}

static int queue_by_name(void)
{
	return iso_errno(mq_open("/vestibule", O_RDONLY));
}

static const struct iso_row rows[] = {
	{ .probe = own_everything },
	{ "connecting to VE A's socket on a shared directory", "unix", connect_by_path, { ECONNREFUSED, 0, 0, ECONNREFUSED } },
	{ "sending to VE A's socket on a shared directory", "unix", send_by_path, { ECONNREFUSED, 0, 0, ECONNREFUSED } },
	{ "connecting to VE A's abstract socket", NULL, connect_by_name, { ECONNREFUSED, 0, 0, ECONNREFUSED } },
	{ "VE A's shared memory by its key", NULL, memory_by_key, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's shared memory by its index", NULL, memory_by_index, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's message queue by its key", NULL, messages_by_key, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's semaphores by their key", NULL, semaphores_by_key, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's POSIX queue by its name", NULL, queue_by_name, { ENOENT, 0, 0, ENOENT } },
};

static void setup(void)
{
	static char *ready[] = { "/bin/sh", "-c", "until [ \"$(cat /proc/sysvipc/sem | wc -l)\" = 2 ]; do sleep 0.1; done", NULL };
	int fd;

	iso_leave(own_everything);
	fd = env_run(&iso_a, ready);
	if (fd < 0 || env_wait(fd))
		die("VE A's objects");
	close(fd);
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
