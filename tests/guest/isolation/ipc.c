// SPDX-License-Identifier: Apache-2.0
/* IPC and names: each VE has its own, the node another. */
#include "iso.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <mqueue.h>
#include <netinet/in.h>
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
#define PORT 4242 /* of VE A's TCP listener, on its loopback */

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
	struct sockaddr_in loopback = { AF_INET, htons(PORT), { htonl(INADDR_LOOPBACK) }, { 0 } };
	struct sockaddr_un a;
	socklen_t len;
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	umask(0);
	if (bind(tcp, (struct sockaddr *)&loopback, sizeof(loopback)) || listen(tcp, 1))
		return BROKEN;
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

static int semaphores_by_index(void)
{
	struct semid_ds ds;

	for (int i = 0; i < 128; i++)
		if (semctl(i, 0, 20 /* SEM_STAT_ANY */, &ds) >= 0)
			return 0;
	return ENOENT;
}

static int messages_by_index(void)
{
	struct msqid_ds ds;

	for (int i = 0; i < 128; i++)
		if (msgctl(i, 13 /* MSG_STAT_ANY */, &ds) >= 0)
			return 0;
	return ENOENT;
}

static int memory_by_number(void)
{
	for (int id = 0; id < 4096; id++)
		if (shmat(id, NULL, SHM_RDONLY) != (void *)-1)
			return 0;
	return ENOENT;
}

/* Is a socket that @has knows among those that sock_diag(7) lists when asked with @request (header and body)? */
static int listed_by_diag(const struct nlmsghdr *request, bool (*has)(const char *buf, size_t n))
{
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	char buf[16384];
	ssize_t n;

	if (s < 0 || send(s, request, request->nlmsg_len, 0) != (ssize_t)request->nlmsg_len)
		return BROKEN;
	while ((n = recv(s, buf, sizeof(buf), 0)) > 0) {
		if (has(buf, (size_t)n))
			return 0;
		if (((struct nlmsghdr *)buf)->nlmsg_type == NLMSG_DONE || ((struct nlmsghdr *)buf)->nlmsg_type == NLMSG_ERROR)
			return ENOENT;
	}
	return BROKEN;
}

static bool has_abstract(const char *buf, size_t n)
{
	return memmem(buf, n, "\0vestibule", 10);
}

static int abstract_listed(void)
{
	struct {
		struct nlmsghdr nlh;
		struct unix_diag_req req;
	} r = { .nlh = { .nlmsg_len = sizeof(r), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_show = UDIAG_SHOW_NAME } };

	return listed_by_diag(&r.nlh, has_abstract);
}

static bool has_listener(const char *buf, size_t n)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

	for (int left = (int)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY && ((const struct inet_diag_msg *)NLMSG_DATA(h))->id.idiag_sport == htons(PORT))
			return true;
	return false;
}

struct inet_request {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 req;
};

static struct inet_request ask_for_tcp(unsigned short type, unsigned short flags)
{
	return (struct inet_request){ { .nlmsg_len = sizeof(struct inet_request), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags },
		{ .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U } };
}

static int listener_listed(void)
{
	struct inet_request r = ask_for_tcp(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);

	return listed_by_diag(&r.nlh, has_listener);
}

static int end_listener(void)
{
	struct inet_request r = ask_for_tcp(SOCK_DESTROY, NLM_F_ACK);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr error;
	} answer;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);

	r.req.id = (struct inet_diag_sockid){ .idiag_sport = htons(PORT), .idiag_src[0] = htonl(INADDR_LOOPBACK),
		.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } };
	if (s < 0 || send(s, &r, sizeof(r), 0) != sizeof(r) || recv(s, &answer, sizeof(answer), MSG_TRUNC) < (ssize_t)sizeof(answer) ||
	    answer.nlh.nlmsg_type != NLMSG_ERROR)
		return BROKEN;
	return -answer.error.error;
}

/* Who one is, told over a socket: somebody else's number. */
static int claim(const struct ucred *who)
{
	union {
		char buf[CMSG_SPACE(sizeof(*who))];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return BROKEN;
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_CREDENTIALS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(*who));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), who, sizeof(*who));
	return iso_errno(sendmsg(pair[0], &m, 0));
}

static int claim_init(void)
{
	return claim(&(struct ucred){ 1, getuid(), getgid() });
}

static int claim_itself(void)
{
	return claim(&(struct ucred){ getpid(), getuid(), getgid() });
}

/* A user of the node that has no number in a VE */
static int claim_user(void)
{
	return claim(&(struct ucred){ getpid(), 3000000000U, getgid() });
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
	{ "VE A's semaphores by their index", NULL, semaphores_by_index, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's message queue by its index", NULL, messages_by_index, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's shared memory by its number", NULL, memory_by_number, { ENOENT, 0, 0, ENOENT } },
	{ "VE A's socket in a list of sockets", NULL, abstract_listed, { ENOENT, 0, 0, ENOENT } },
	{ "ending VE A's TCP listener", NULL, end_listener, { ENOENT, NA, EPERM, ENOENT } },
	{ "VE A's TCP listener in a list of sockets", NULL, listener_listed, { ENOENT, 0, 0, ENOENT } },
	{ "ending its own TCP listener", NULL, end_listener, { NA, 0, NA, NA } },
	{ "being itself over a socket", NULL, claim_itself, { 0, 0, 0, 0 } },
	{ "being init over a socket", NULL, claim_init, { 0, 0, EPERM, 0 } },
	{ "being a user of the node over a socket", NULL, claim_user, { 0, EINVAL, EINVAL, EINVAL } },
	{ "VE A's POSIX queue by its name", NULL, queue_by_name, { ENOENT, 0, 0, ENOENT } },
};

static void setup(void)
{
	static char *ready[] = { "/bin/sh", "-c", "until [ \"$(cat /proc/sysvipc/sem | wc -l)\" = 2 ]; do sleep 0.1; done", NULL };
	int fd;

	/* of an earlier run */
	unlink("/run/shared/stream");
	unlink("/run/shared/dgram");
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
