// SPDX-License-Identifier: Apache-2.0
#include "portal/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/libve/clean.h"

union control {
	struct cmsghdr header; /* for its alignment */
	char room[CMSG_SPACE(sizeof(int))];
};

int channel_create(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)
		       ? -errno
		       : 0;
}

int channel_send(int channel, int fd, const struct arrival *who)
{
	struct arrival copy = *who;
	struct iovec iov = { &copy, sizeof(copy) };
	union control c = { 0 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.room,
			    .msg_controllen = sizeof(c.room) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	return sendmsg(channel, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno
								     : 0;
}

int channel_receive(int channel, struct arrival *who)
{
	struct iovec iov = { who, sizeof(*who) };
	union control c = { 0 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.room,
			    .msg_controllen = sizeof(c.room) };
	struct cmsghdr *h;
	_close_ int fd = -1;
	ssize_t n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	if (!n)
		return -EPIPE;
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(h), sizeof(int));
	if (n != (ssize_t)sizeof(*who) || fd < 0 ||
	    (who->address.family != 4 && who->address.family != 6) ||
	    !memchr(who->name, '\0', sizeof(who->name)))
		return -EBADMSG;
	return take_fd(&fd);
}
