// SPDX-License-Identifier: Apache-2.0
/* The way of an update to the server and back: one TCP connection each. */
#include "portal/dns.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "portal/token.h"

#define WAIT_S 10
#define ANSWER_MAX 4096

/* "host:port", "[::1]:53", "host" (53) taken apart in @text. */
static void split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');
	char *end;

	*host = text;
	*port = (char *)"53";
	if (*text == '[') {
		end = strchr(text, ']');
		*host = text + 1;
		if (end)
			*end++ = '\0';
		if (end && *end == ':')
			*port = end + 1;
	} else if (colon && colon == strchr(text, ':')) {
		*colon = '\0';
		*port = colon + 1;
	}
}

static int reach(const char *at, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval wait = { .tv_sec = WAIT_S };
	_free_ char *text = xstrdup(at);
	struct addrinfo *list = NULL;
	char *host, *port;
	int fd = -1, rc;

	split(text, &host, &port);
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc)
		return err_set(e, -EIO, "%s: %s", at, gai_strerror(rc));
	errno = EADDRNOTAVAIL;
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		if (connect(fd, a->ai_addr, a->ai_addrlen)) {
			rc = errno;
			close(fd);
			fd = -1;
			errno = rc;
		}
	}
	rc = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return err_set(e, -EIO, "%s: %s", at, strerror(rc));
	return fd;
}

static int send_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return -EIO;
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static int receive_all(int fd, uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = recv(fd, p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int ask(const char *at, const struct buf *msg, uint8_t *answer,
	       size_t *len, struct err *e)
{
	const uint8_t head[2] = { (uint8_t)(msg->len >> 8), (uint8_t)msg->len };
	_close_ int fd = reach(at, e);
	uint8_t size[2];

	if (fd < 0)
		return fd;
	if (send_all(fd, head, 2) ||
	    send_all(fd, (const uint8_t *)msg->data, msg->len) ||
	    receive_all(fd, size, 2))
		return err_set(e, -EIO, "%s does not answer", at);
	*len = (size_t)size[0] << 8 | size[1];
	if (*len > ANSWER_MAX || receive_all(fd, answer, *len))
		return err_set(e, -EIO, "%s answers with what is no message",
			       at);
	return 0;
}

int dns_update(const struct dns_server *s, const struct dns_change *changes,
	       size_t n, struct err *e)
{
	uint8_t answer[ANSWER_MAX], mac[DNS_MAC], random[TOKEN_HASH];
	_buf_ struct buf msg = { 0 };
	char token[TOKEN_TEXT];
	size_t len = 0;
	uint16_t id;
	int rc;

	token_make(token);
	token_hash(random, token);
	id = (uint16_t)(random[0] << 8 | random[1]);
	rc = dns_compose(s, changes, n, id, (uint64_t)time(NULL), &msg, mac, e);
	if (!rc)
		rc = ask(s->at, &msg, answer, &len, e);
	return rc ? rc
		  : dns_judge(s->key, id, (uint64_t)time(NULL), mac, answer,
			      len, e);
}
