// SPDX-License-Identifier: Apache-2.0
/* [priv] The kernel's interface of bounds: beancounters, CPU, network. */
#include "agent/venv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ve.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/shape.h"

_Static_assert(BEANS == UB_RESOURCES, "rows as the kernel has them");
_Static_assert(BEAN_MAX == UB_MAXVALUE, "no bound as the kernel has it");
_Static_assert(BEAN_NUMPROC == UB_NUMPROC && BEAN_PHYSPAGES == UB_PHYSPAGES &&
		       BEAN_VMGUARPAGES == UB_VMGUARPAGES &&
		       BEAN_OOMGUARPAGES == UB_OOMGUARPAGES &&
		       BEAN_SWAPPAGES == UB_SWAPPAGES,
	       "numbers as the kernel has them");

static int ctl(int fd, unsigned cmd, void *arg, size_t size)
{
	long r = syscall(__NR_env_ctl, fd, cmd, arg, size);

	return r < 0 ? -errno : (int)r;
}

int venv_beans_set(int fd, const struct beans *b)
{
	struct env_ublimit list[UB_RESOURCES];
	struct env_ublimits l = { .limits = (uintptr_t)list };
	int r;

	for (unsigned i = 0; i < UB_RESOURCES; i++)
		if (bean_is_set(b, i))
			list[l.nr++] = (struct env_ublimit){
				.resource = i,
				.barrier = b->of[i].barrier,
				.limit = b->of[i].limit,
			};
	r = ctl(fd, ENV_CTL_UB_SET, &l, sizeof(l));
	return r < 0 ? r : 0;
}

int venv_beans_stat(int fd, struct bean_stat out[static BEANS])
{
	struct env_ubstat list[UB_RESOURCES];
	struct env_ubstats s = { .stats = (uintptr_t)list, .nr = UB_RESOURCES };
	int r;

	memset(list, 0, sizeof(list));
	r = ctl(fd, ENV_CTL_UB_STAT, &s, sizeof(s));
	if (r < 0)
		return r;
	for (unsigned i = 0; i < UB_RESOURCES; i++)
		out[i] = (struct bean_stat){ list[i].held, list[i].maxheld,
					     list[i].barrier, list[i].limit,
					     list[i].failcnt };
	return 0;
}

int venv_cpu(int fd, uint32_t weight, uint64_t cap, uint32_t cpus)
{
	struct env_cpu c = { .weight = weight, .cpus = cpus, .cap = cap };
	int r = ctl(fd, ENV_CTL_CPU, &c, sizeof(c));

	return r < 0 ? r : 0;
}

int venv_net_limit(int fd, uint32_t mark, uint32_t packets, uint32_t flow_rate,
		   uint32_t flow_burst)
{
	struct env_netlimit l = { .mark = mark,
				  .packet_rate = packets,
				  .packet_burst = SHAPE_PACKETS_BURST,
				  .flow_rate = flow_rate,
				  .flow_burst = flow_burst };
	int r = ctl(fd, ENV_CTL_NET_LIMIT, &l, sizeof(l));

	return r < 0 ? r : 0;
}

int venv_net_stat(int fd, struct traffic *t)
{
	struct env_netstat s = { .tx_packets = 0 };
	int r = ctl(fd, ENV_CTL_NET_STAT, &s, sizeof(s));

	*t = (struct traffic){
		.tx_packets = s.tx_packets,
		.tx_bytes = s.tx_bytes,
		.rx_packets = s.rx_packets,
		.rx_bytes = s.rx_bytes,
		.tx6_packets = s.tx6_packets,
		.tx6_bytes = s.tx6_bytes,
		.rx6_packets = s.rx6_packets,
		.rx6_bytes = s.rx6_bytes,
		.tx_dropped = s.tx_dropped,
		.rx_dropped = s.rx_dropped,
		.spoofed = s.spoofed,
		.flows_braked = s.flows_braked,
		.packets_braked = s.packets_braked,
	};
	return r < 0 ? r : 0;
}

int venv_refusals_open(void)
{
	int fd = ctl(-1, ENV_CTL_UB_EVENTS, NULL, 0);

	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

int venv_refusals_read(int fd, struct msg_refusal *r, uint32_t room)
{
	struct env_event list[MSG_REFUSALS];
	ssize_t n;

	if (room > MSG_REFUSALS)
		room = MSG_REFUSALS;
	n = read(fd, list, room * sizeof(list[0]));
	if (n < 0)
		return -errno;
	room = (uint32_t)((size_t)n / sizeof(list[0]));
	for (uint32_t i = 0; i < room; i++) {
		const struct env_event *v = &list[i];

		r[i] = (struct msg_refusal){
			.time = (int64_t)(v->time / 1000000),
			.held = v->held,
			.barrier = v->barrier,
			.limit = v->limit,
			.refused = v->refused,
			.veid = v->veid,
			.resource = v->resource,
			.lost = v->lost,
			.pid = v->pid,
		};
		memcpy(r[i].program, v->comm, sizeof(r[i].program) - 1);
	}
	return (int)room;
}
