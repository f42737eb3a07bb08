// SPDX-License-Identifier: Apache-2.0
#include "agent/ring.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/libve/clean.h"

#define MAGIC 0x7665726e67303176ull
#define HEAD 4096u

struct head {
	uint64_t magic, hi;
};

struct ring {
	int fd;
	struct head *head;
	uint8_t *data;
};

static struct ring *map(int fd)
{
	struct ring *r;
	void *p = mmap(NULL, HEAD + RING_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		close(fd);
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	r->head = p;
	r->data = (uint8_t *)p + HEAD;
	return r;
}

struct ring *ring_create(void)
{
	int fd = memfd_create("ve-ring", MFD_CLOEXEC);
	struct ring *r;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, HEAD + RING_SIZE) < 0) {
		close(fd);
		return NULL;
	}
	r = map(fd);
	if (r)
		*r->head = (struct head){ .magic = MAGIC };
	return r;
}

struct ring *ring_adopt(int fd)
{
	struct stat st;
	struct ring *r;

	if (fstat(fd, &st) < 0 || st.st_size != HEAD + RING_SIZE) {
		close(fd);
		return NULL;
	}
	r = map(fd);
	if (r && r->head->magic != MAGIC) {
		ring_destroy(r);
		return NULL;
	}
	return r;
}

void ring_destroy(struct ring *r)
{
	if (!r)
		return;
	munmap(r->head, HEAD + RING_SIZE);
	close(r->fd);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->fd;
}

uint64_t ring_hi(const struct ring *r)
{
	return r->head->hi;
}

uint64_t ring_lo(const struct ring *r)
{
	return r->head->hi > RING_SIZE ? r->head->hi - RING_SIZE : 0;
}

void ring_put(struct ring *r, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		size_t at = r->head->hi % RING_SIZE;
		size_t take = n < RING_SIZE - at ? n : RING_SIZE - at;

		memcpy(r->data + at, p, take);
		/* the number last: a death between loses bytes, never order */
		r->head->hi += take;
		p += take;
		n -= take;
	}
}

size_t ring_read(const struct ring *r, uint64_t seq, void *out, size_t n)
{
	uint8_t *p = out;
	size_t done = 0;

	if (seq < ring_lo(r) || seq > ring_hi(r))
		return 0;
	if (n > ring_hi(r) - seq)
		n = (size_t)(ring_hi(r) - seq);
	while (done < n) {
		size_t at = (seq + done) % RING_SIZE;
		size_t take = n - done < RING_SIZE - at ? n - done
							: RING_SIZE - at;

		memcpy(p + done, r->data + at, take);
		done += take;
	}
	return n;
}
