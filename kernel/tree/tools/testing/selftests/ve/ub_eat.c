// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs inside a VE for ub_test: see eat.h.
 */
#include "eat.h"

#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define CHUNK (256 * PAGE)
#define ACCEPTS 4

/* What is hard to refuse */

static int touch_stack(size_t bytes)
{
	static volatile char *at;

	if (!at)
		at = (volatile char *)__builtin_frame_address(0) - 50 * PAGE; /* what it has from the start */
	at -= bytes;
	*at = 1;
	return 0;
}

static int eat_stack(void)
{
	return touch_stack(CHUNK);
}

static int eat_stacklock(void)
{
	static int locked;

	if (!locked && mlockall(MCL_CURRENT))
		return -1;
	locked = 1;
	return touch_stack(16 * PAGE);
}

/* A program that ends at once, and of which exec has to make CHUNK * 4 of bytes. */
static void write_program(const char *path)
{
	static const struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		unsigned char code[12];
	} __attribute__((packed)) program = {
		.e = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_entry = 0x400000 + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
			.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
		},
		.p = {
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000,
			  .p_filesz = sizeof(program), .p_memsz = sizeof(program), .p_align = PAGE },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x800000,
			  .p_memsz = 4 * CHUNK, .p_align = PAGE },
		},
		/* mov $60, %eax; mov $7, %edi; syscall */
		.code = { 0xb8, 60, 0, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05 },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	if (write(fd, &program, sizeof(program)) != sizeof(program))
		perror(path);
	close(fd);
}

static int eat_exec(void)
{
	int status, pid;

	write_program("/root/bss");
	signal(SIGCHLD, SIG_DFL);
	pid = vfork();
	if (!pid) {
		execl("/root/bss", "bss", NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	errno = ENOEXEC;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : -1;
}

static int eat_numproc(void)
{
	int parent = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			pause();
		_exit(0);
	}
	return pid;
}

/* A program that has much becomes two. */
static int eat_fork(void)
{
	static void *much;

	if (!much)
		much = mmap(NULL, 4 * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return much == MAP_FAILED ? -1 : eat_numproc();
}

static int eat_numfile(void)
{
	return open("/dev/null", O_RDONLY);
}

static int eat_userfile(void)
{
	return setuid(65534) ? -1 : eat_numfile();
}

static int eat_numflock(void)
{
	static int fd = -1;
	static off_t at;
	struct flock fl = { .l_type = F_WRLCK, .l_start = at, .l_len = 1 };

	if (fd < 0)
		fd = open("/root/lock", O_RDWR | O_CREAT, 0600);
	at += 2; /* or they would become one */
	return fcntl(fd, F_SETLK, &fl);
}

/* A lock of much, of which a byte in the middle is given back again and again. */
static int eat_split(void)
{
	static struct flock fl = { .l_type = F_WRLCK, .l_len = 1000 };
	static int fd = -1;

	if (fd < 0) {
		fd = open("/root/lock", O_RDWR | O_CREAT, 0600);
		if (fcntl(fd, F_SETLK, &fl))
			return -1;
		fl = (struct flock){ .l_type = F_UNLCK, .l_len = 1 };
	}
	fl.l_start += 2;
	return fcntl(fd, F_SETLK, &fl);
}

static int eat_numpty(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

/* As many refusals. */
static int eat_refusals(void)
{
	return eat_numpty() < 0 ? 0 : -1;
}

static int eat_numsiginfo(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 1 });
}

static int eat_numtcpsock(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int eat_numothersock(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

/* The other ends, made beforehand, come one by one. */
static int eat_accept(void)
{
	static int l = -1, out[ACCEPTS], n;
	static struct sockaddr_in a;
	struct pollfd p;

	if (l < 0) {
		l = listener(&a);
		for (int i = 0; i < ACCEPTS; i++)
			out[i] = socket(AF_INET, SOCK_STREAM, 0);
	}
	if (n == ACCEPTS || connect(out[n], (void *)&a, sizeof(a)))
		return -1;
	n++;
	p = (struct pollfd){ .fd = l, .events = POLLIN };
	poll(&p, 1, 2000);
	return accept(l, NULL, NULL);
}

static int eat_privvmpages(void)
{
	return mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int eat_lockedpages(void)
{
	void *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mlock(p, 16 * PAGE);
}

static int eat_shmpages(void)
{
	static char page[PAGE];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("eat", 0);
	return write(fd, page, PAGE) == PAGE ? 0 : -1;
}

static int eat_shmfault(void)
{
	static char *at;

	if (!at)
		at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -1;
	*at = 1;
	at += PAGE;
	return 0;
}

/* Messages of 8 KiB that nobody takes. */
static int eat_kmemsize(void)
{
	static struct {
		long type;
		char text[8192 - 64];
	} msg = { .type = 1 };
	static int last = -1;
	int q = msgget(IPC_PRIVATE, 0600);

	if (q >= 0 && !msgsnd(q, &msg, sizeof(msg.text), IPC_NOWAIT)) {
		last = q;
		return 0;
	}
	/* To say so takes memory of a pipe: the one before makes room. */
	int e = errno;

	msgctl(last, IPC_RMID, NULL);
	errno = e;
	return -1;
}

/* A directory of a tmpfs is nothing but a dentry and an inode, both held. */
static int eat_dcachesize(void)
{
	static int n;
	char path[32];

	snprintf(path, sizeof(path), "/run/eat%d", n++);
	return mkdir(path, 0700);
}

static int touch_pages(void)
{
	char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	for (int i = 0; i < CHUNK; i += PAGE)
		memset(p + i, i + 1, PAGE); /* no two alike */
	return 0;
}

/* Nonblocking; what is sent stays where it is.  A KiB at a time. */
static int eat_stream(int fd)
{
	static char text[1024];

	return send(fd, text, sizeof(text), MSG_DONTWAIT) == sizeof(text) ? 0 : -1;
}

static int eat_tcp(void)
{
	static int out = -1, in;

	if (out < 0)
		out = tcp_pair(&in);
	return eat_stream(out);
}

/*
 * As little as a socket may keep to send, so that a refusal comes when it has that much and cannot wait.
 * That TCP may always send half a page says nothing: all of it or none.
 */
static int eat_forced(void)
{
	static const char data[8192];
	int in, out = tcp_pair(&in), least = 1;

	if (out < 0)
		return -1;
	setsockopt(out, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	errno = EAGAIN;
	return send(out, data, sizeof(data), MSG_DONTWAIT) == sizeof(data) ? 0 : -1;
}

static int eat_othersockbuf(void)
{
	static int pair[2] = { -1, -1 };

	if (pair[0] < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	return eat_stream(pair[0]);
}

/* Each message by a socket that has sent none. */
static int eat_first(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ? -1 : eat_stream(pair[0]);
}

static int eat_firstread(void)
{
	int in, out = tcp_pair(&in);
	struct pollfd p = { .fd = in, .events = POLLIN };

	if (out < 0 || eat_stream(out))
		return -1;
	return poll(&p, 1, 10000) == 1 ? 0 : -1;
}

static int udp_to_itself(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return bind(fd, (void *)&a, n) || getsockname(fd, (void *)&a, &n) ||
	       connect(fd, (void *)&a, n) ? -1 : fd;
}

static int eat_dgramrcvbuf(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = udp_to_itself();
	return eat_stream(fd);
}

/* A socket that has a message half written while it takes another: nothing stays. */
static int eat_corked(void)
{
	static const char data[8192];
	static int fd = -1, on = 1, off;
	char got[sizeof(data)];

	if (fd < 0)
		fd = udp_to_itself();
	if (send(fd, data, sizeof(data), 0) < 0 || setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)) ||
	    send(fd, data, sizeof(data), 0) < 0 || recv(fd, got, sizeof(got), 0) < 0 ||
	    setsockopt(fd, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)))
		return -1;
	return recv(fd, got, sizeof(got), 0) < 0 ? -1 : 0;
}

/* A message half written, of which all but a byte came behind its beginning. */
static int eat_half(void)
{
	static const char data[60000];
	int fd = udp_to_itself();

	return send(fd, data, 1, MSG_MORE) < 0 ? -1 : (int)send(fd, data, sizeof(data), MSG_MORE);
}

/* Buffers of a TCP socket that are not there for anything yet. */
static int eat_reserve(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), bytes = 1 << 20;

	return setsockopt(fd, SOL_SOCKET, SO_RESERVE_MEM, &bytes, sizeof(bytes));
}

/* Eight mappings that are no data, until one call makes all of them so. */
static int eat_mprotect(void)
{
	char *at = mmap(NULL, 8 * CHUNK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	for (int i = 0; i < 8; i += 2) /* or they would be one */
		madvise(at + i * CHUNK, CHUNK, MADV_DONTFORK);
	return mprotect(at, 8 * CHUNK, PROT_READ | PROT_WRITE);
}

/* Given back at once by one that goes on. */
static int eat_munmap(void)
{
	char *at = mmap(NULL, 8 * CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : munmap(at, 8 * CHUNK);
}

/* nfnetlink, no more of it than a table, a chain and empty rules take */
static char nl_buf[4096];
static size_t nl_len;

static struct nlmsghdr *nl_begin(int type, int flags, int family, int res_id)
{
	struct nlmsghdr *h = (void *)(nl_buf + nl_len);
	struct nfgenmsg *g = NLMSG_DATA(h);

	*h = (struct nlmsghdr){
		.nlmsg_len = NLMSG_LENGTH(sizeof(*g)),
		.nlmsg_type = (unsigned short)type,
		.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags),
	};
	*g = (struct nfgenmsg){ .nfgen_family = (unsigned char)family,
				.res_id = htons((unsigned short)res_id) };
	return h;
}

static void nl_string(struct nlmsghdr *h, int type, const char *s)
{
	struct nlattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->nla_type = (unsigned short)type;
	a->nla_len = (unsigned short)(NLA_HDRLEN + strlen(s) + 1);
	strcpy((char *)a + NLA_HDRLEN, s);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static void nl_end(struct nlmsghdr *h)
{
	nl_len += NLMSG_ALIGN(h->nlmsg_len);
}

#define NFT(msg) (NFNL_SUBSYS_NFTABLES << 8 | (msg))

static int eat_numiptent(void)
{
	static int fd = -1, made;
	struct nlmsghdr *h;
	char answer[4096];
	ssize_t n;

	if (fd < 0)
		fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	nl_len = 0;
	nl_end(nl_begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	if (!made) {
		h = nl_begin(NFT(NFT_MSG_NEWTABLE), NLM_F_CREATE, NFPROTO_IPV4, 0);
		nl_string(h, NFTA_TABLE_NAME, "eat");
		nl_end(h);
		h = nl_begin(NFT(NFT_MSG_NEWCHAIN), NLM_F_CREATE, NFPROTO_IPV4, 0);
		nl_string(h, NFTA_CHAIN_TABLE, "eat");
		nl_string(h, NFTA_CHAIN_NAME, "c");
		nl_end(h);
		made = 1;
	}
	h = nl_begin(NFT(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
		     NFPROTO_IPV4, 0);
	nl_string(h, NFTA_RULE_TABLE, "eat");
	nl_string(h, NFTA_RULE_CHAIN, "c");
	nl_end(h);
	nl_end(nl_begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	if (send(fd, nl_buf, nl_len, 0) < 0)
		return -1;
	n = recv(fd, answer, sizeof(answer), 0);
	h = (void *)answer;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(int)) || h->nlmsg_type != NLMSG_ERROR)
		return -1;
	errno = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
	return errno ? -1 : 0;
}

static const struct eat_row rows[] = {
	{ "numproc", eat_numproc },	    { "numfile", eat_numfile },
	{ "numflock", eat_numflock },	    { "numpty", eat_numpty },
	{ "numsiginfo", eat_numsiginfo },   { "numtcpsock", eat_numtcpsock },
	{ "numothersock", eat_numothersock }, { "privvmpages", eat_privvmpages },
	{ "lockedpages", eat_lockedpages }, { "shmpages", eat_shmpages },
	{ "kmemsize", eat_kmemsize },	    { "dcachesize", eat_dcachesize },
	{ "tcpsndbuf", eat_tcp },	    { "tcprcvbuf", eat_tcp },
	{ "forced", eat_forced },	    { "corked", eat_corked },
	{ "half", eat_half },		    { "reserve", eat_reserve },
	{ "mprotect", eat_mprotect },	    { "munmap", eat_munmap },
	{ "stack", eat_stack },
	{ "stacklock", eat_stacklock },	    { "exec", eat_exec },
	{ "fork", eat_fork },		    { "userfile", eat_userfile },
	{ "split", eat_split },		    { "accept", eat_accept },
	{ "shmfault", eat_shmfault },	    { "first", eat_first },
	{ "firstread", eat_firstread },	    { "refusals", eat_refusals },
	{ "othersockbuf", eat_othersockbuf }, { "dgramrcvbuf", eat_dgramrcvbuf },
	{ "numiptent", eat_numiptent },	    { "physpages", touch_pages },
	{ "swappages", touch_pages },
};

/* What does not go with the process. */
static void give_back(const char *row, int n)
{
	struct msginfo info;
	char path[32];

	if (!strcmp(row, "dcachesize"))
		for (int i = 0; i <= n; i++) {
			snprintf(path, sizeof(path), "/run/eat%d", i);
			rmdir(path);
		}
	if (!strcmp(row, "kmemsize")) {
		int top = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
		struct msqid_ds ds;

		for (int i = 0; i <= top; i++)
			msgctl(msgctl(i, MSG_STAT, &ds), IPC_RMID, NULL);
	}
	if (!strcmp(row, "numflock") || !strcmp(row, "split"))
		unlink("/root/lock");
	if (!strcmp(row, "numiptent")) {
		struct nlmsghdr *h;
		int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);

		nl_len = 0;
		nl_end(nl_begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
		h = nl_begin(NFT(NFT_MSG_DELTABLE), NLM_F_ACK, NFPROTO_IPV4, 0);
		nl_string(h, NFTA_TABLE_NAME, "eat");
		nl_end(h);
		nl_end(nl_begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
		if (send(fd, nl_buf, nl_len, 0) < 0)
			perror("deleting the table");
	}
}

int main(int argc, char **argv)
{
	return eat_main(argc, argv, EAT_ROWS(rows), give_back);
}
