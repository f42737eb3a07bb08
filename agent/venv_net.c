// SPDX-License-Identifier: Apache-2.0
/* [priv] Sockets inside a VE's network namespace. */
#include "agent/venv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ve.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

/* The dummy address of RFC 7600: no host's, and not 127.0.0.1, so that what a
 * program allows its own machine only stays closed. */
#define OURS 0xc0000008u /* 192.0.0.8 */

static int own_net = -1;

void venv_net_open(void)
{
	own_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own_net < 0)
		fatal("/proc/self/ns/net: %s", strerror(errno));
}

static int set_in(int sock, unsigned long what, uint32_t value)
{
	struct ifreq r = { .ifr_name = "lo:ve" };
	struct sockaddr_in *in = (void *)&r.ifr_addr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(value);
	return ioctl(sock, what, &r) < 0 ? -errno : 0;
}

/* Its root may have taken the address away: it is put back when it is needed. */
static int bind_ours(int sock, const struct sockaddr_in *in)
{
	int r;

	if (bind(sock, (const struct sockaddr *)in, sizeof(*in)) == 0)
		return 0;
	if (errno != EADDRNOTAVAIL)
		return -errno;
	r = set_in(sock, SIOCSIFADDR, OURS);
	if (r == 0)
		r = set_in(sock, SIOCSIFNETMASK, ~0u);
	if (r < 0)
		return r;
	return bind(sock, (const struct sockaddr *)in, sizeof(*in)) < 0 ? -errno
									: 0;
}

static int connect_inside(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(OURS) };
	int sock _close_ = socket(
		AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (sock < 0)
		return -errno;
	r = bind_ours(sock, &in);
	if (r < 0)
		return r;
	in.sin_port = htons(port);
	if (connect(sock, (struct sockaddr *)&in, sizeof(in)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return take_fd(&sock);
}

int venv_connect(int fd, uint16_t port)
{
	int net _close_ =
		(int)syscall(__NR_env_ctl, fd, ENV_CTL_OPEN_NET, NULL, 0);
	int r;

	if (net < 0)
		return -errno;
	if (setns(net, CLONE_NEWNET) < 0)
		return -errno;
	r = connect_inside(port);
	if (setns(own_net, CLONE_NEWNET) < 0)
		fatal("no way back from a VE's network: %s", strerror(errno));
	return r;
}
