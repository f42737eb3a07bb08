// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's bounds, played: what was set lies in files that a test reads, what
 * is used and refused in files that a test writes.  PID is the VE's process, as
 * $VE_FAKE_DIR/ve-VEID names it.
 *
 *   limits-PID   a line a row: name barrier limit
 *   used-PID     a line a row: name held maxheld failcnt
 *   qos-PID      weight cap cpus        net-PID  mark flow_rate flow_burst packets
 *   traffic-PID  tx_bytes rx_bytes      class-N  up rate, ceil, down rate, ceil
 *   refusals     a pipe: veid resource held barrier limit refused pid program [lost]
 */
#include "agent/venv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/shape.h"
#include "tests/agent/fake.h"

static FILE *open_file(const char *kind, int number, const char *mode)
{
	char *path _free_ = xasprintf("%s/%s-%d", fake_dir(), kind, number);

	return fopen(path, mode);
}

static int write_file(const char *kind, int number, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int write_file(const char *kind, int number, const char *fmt, ...)
{
	FILE *f = open_file(kind, number, "we");
	va_list ap;

	if (!f)
		return -errno;
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
	return 0;
}

/* Lines of a name and three numbers. */
static void read_rows(const char *kind, int pid,
		      void (*row)(struct bean_stat *s, const uint64_t n[3]),
		      struct bean_stat *all)
{
	FILE *f = open_file(kind, pid, "re");
	char name[32];
	uint64_t n[3] = { 0 };

	while (f && fscanf(f, "%31s %" SCNu64 " %" SCNu64, name, &n[0],
			   &n[1]) == 3) {
		int i = bean_find(name);

		if (fscanf(f, "%" SCNu64, &n[2]) < 0)
			n[2] = 0;
		if (i >= 0)
			row(&all[i], n);
	}
	if (f)
		fclose(f);
}

static void set_bounds(struct bean_stat *s, const uint64_t n[3])
{
	s->barrier = n[0];
	s->limit = n[1];
}

static void set_use(struct bean_stat *s, const uint64_t n[3])
{
	s->held = n[0];
	s->maxheld = n[1];
	s->failcnt = n[2];
}

int venv_beans_stat(int fd, struct bean_stat out[static BEANS])
{
	int pid = fake_pid(fd);

	if (!pid)
		return -EBADF;
	for (unsigned i = 0; i < BEANS; i++)
		out[i] = (struct bean_stat){ .barrier = BEAN_MAX,
					     .limit = BEAN_MAX };
	read_rows("limits", pid, set_bounds, out);
	read_rows("used", pid, set_use, out);
	return 0;
}

int venv_beans_set(int fd, const struct beans *b)
{
	struct bean_stat now[BEANS];
	int r = venv_beans_stat(fd, now);
	FILE *f;

	if (r < 0)
		return r;
	/* as the kernel: all of them or none */
	if (!b->set || beans_check(b, NULL) < 0)
		return -EINVAL;
	f = open_file("limits", fake_pid(fd), "we");
	if (!f)
		return -errno;
	for (unsigned i = 0; i < BEANS; i++) {
		if (bean_is_set(b, i)) {
			now[i].barrier = b->of[i].barrier;
			now[i].limit = b->of[i].limit;
		}
		if (bean_name(i))
			fprintf(f, "%s %" PRIu64 " %" PRIu64 " 0\n",
				bean_name(i), now[i].barrier, now[i].limit);
	}
	fclose(f);
	return 0;
}

int venv_cpu(int fd, uint32_t weight, uint64_t cap, uint32_t cpus)
{
	return write_file("qos", fake_pid(fd),
			  "%" PRIu32 " %" PRIu64 " %" PRIu32 "\n", weight, cap,
			  cpus);
}

int venv_net_limit(int fd, uint32_t mark, uint32_t packets, uint32_t flow_rate,
		   uint32_t flow_burst)
{
	return write_file("net", fake_pid(fd),
			  "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
			  mark, flow_rate, flow_burst, packets);
}

int venv_net_stat(int fd, struct traffic *t)
{
	FILE *f = open_file("traffic", fake_pid(fd), "re");

	*t = (struct traffic){ 0 };
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNu64 " %" SCNu64, &t->tx_bytes, &t->rx_bytes) != 2)
		*t = (struct traffic){ 0 };
	fclose(f);
	return 0;
}

int venv_refusals_open(void)
{
	char *path _free_ = xasprintf("%s/refusals", fake_dir());

	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return -errno;
	/* a writer's end too, so that it never ends */
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static bool parse(const char *text, struct msg_refusal *r)
{
	char name[32];
	int n = sscanf(text,
		       "%" SCNu32 " %31s %" SCNu64 " %" SCNu64 " %" SCNu64
		       " %" SCNu64 " %" SCNu32 " %15s %" SCNu32,
		       &r->veid, name, &r->held, &r->barrier, &r->limit,
		       &r->refused, &r->pid, r->program, &r->lost);
	int i = n >= 8 ? bean_find(name) : -1;
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	r->time = t.tv_sec * 1000 + t.tv_nsec / 1000000;
	r->resource = (uint32_t)i;
	return i >= 0;
}

/* Whole lines, written at once; those beyond @room wait, as in the kernel. */
int venv_refusals_read(int fd, struct msg_refusal *r, uint32_t room)
{
	uint32_t got = 0;

	while (got < room) {
		char line[128];
		size_t n = 0;

		while (n < sizeof(line) - 1 && read(fd, &line[n], 1) == 1 &&
		       line[n] != '\n')
			n++;
		if (!n)
			break;
		line[n] = '\0';
		r[got] = (struct msg_refusal){ 0 };
		got += parse(line, &r[got]);
	}
	return got ? (int)got : -EAGAIN;
}

/* ---- bandwidth ------------------------------------------------------------- */

void shape_open(const char *uplink, uint64_t rate)
{
}

int shape_set(uint32_t class, const struct rate *up, const struct rate *down)
{
	return write_file("class", (int)class,
			  "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			  up->rate, up->ceil, down->rate, down->ceil);
}

int shape_drop(uint32_t class)
{
	char *path _free_ = xasprintf("%s/class-%" PRIu32, fake_dir(), class);

	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

void shape_adopt(bool (*wanted)(void *arg, uint32_t class), void *arg)
{
	for (uint32_t class = 0; class < 1024; class++) {
		FILE *f = open_file("class", (int)class, "re");

		if (!f)
			continue;
		fclose(f);
		if (!wanted(arg, class))
			shape_drop(class);
	}
}
