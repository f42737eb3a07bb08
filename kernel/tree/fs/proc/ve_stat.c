// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VE is told of memory, CPU time and load: its own.
 *
 * The files of /proc that speak of the machine, and sysinfo(2), say inside a VE
 * what its cgroup has counted and its limits allow.  Whose figures they are is
 * decided by who reads.  Nothing runs in the background for a VE that nobody
 * asks about: its load is sampled while somebody reads it, and a minute longer.
 */
#include <linux/cgroup.h>
#include <linux/cpumask.h>
#include <linux/kernel_stat.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/page_counter.h>
#include <linux/pid_namespace.h>
#include <linux/psi.h>
#include <linux/sched/cputime.h>
#include <linux/sched/loadavg.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/swap.h>
#include <linux/sysinfo.h>
#include <linux/ub.h>
#include <linux/ve_cpu.h>
#include <linux/ve_stat.h>
#include <linux/vmstat.h>

/* In pages */
struct ve_mem {
	unsigned long total, used;
	unsigned long swap_total, swap_used;
};

static unsigned long least_max(const struct page_counter *c, unsigned long most)
{
	for (; c; c = c->parent)
		most = min(most, READ_ONCE(c->max));
	return most;
}

static void ve_mem_read(struct ve_mem *mem, struct mem_cgroup *memcg)
{
	mem->total = least_max(&memcg->memory, totalram_pages());
	mem->used = min(page_counter_read(&memcg->memory), mem->total);
	mem->swap_total = least_max(&memcg->swap, total_swap_pages);
	mem->swap_used = min(page_counter_read(&memcg->swap), mem->swap_total);
}

static void show_kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_put_decimal_ull_width(m, name, pages << (PAGE_SHIFT - 10), 8);
	seq_write(m, " kB\n", 4);
}

/* What could be had without swapping. */
static unsigned long ve_mem_available(const struct ve_mem *mem,
				      struct mem_cgroup *memcg)
{
	unsigned long n = mem->total - mem->used;

	n += memcg_page_state(memcg, NR_ACTIVE_FILE) +
	     memcg_page_state(memcg, NR_INACTIVE_FILE) +
	     (memcg_page_state(memcg, NR_SLAB_RECLAIMABLE_B) >> PAGE_SHIFT);
	return min(n, mem->total);
}

static void ve_meminfo(struct seq_file *m, struct mem_cgroup *memcg)
{
	static const struct {
		const char *name;
		int item;
		u8 shift;	/* from the item's unit to pages */
	} rows[] = {
		{ "Active(anon):   ", NR_ACTIVE_ANON },
		{ "Inactive(anon): ", NR_INACTIVE_ANON },
		{ "Active(file):   ", NR_ACTIVE_FILE },
		{ "Inactive(file): ", NR_INACTIVE_FILE },
		{ "Unevictable:    ", NR_UNEVICTABLE },
		{ "Dirty:          ", NR_FILE_DIRTY },
		{ "Writeback:      ", NR_WRITEBACK },
		{ "AnonPages:      ", NR_ANON_MAPPED },
		{ "Mapped:         ", NR_FILE_MAPPED },
		{ "Shmem:          ", NR_SHMEM },
		{ "SReclaimable:   ", NR_SLAB_RECLAIMABLE_B, PAGE_SHIFT },
		{ "SUnreclaim:     ", NR_SLAB_UNRECLAIMABLE_B, PAGE_SHIFT },
		{ "KernelStack:    ", NR_KERNEL_STACK_KB, PAGE_SHIFT - 10 },
		{ "PageTables:     ", NR_PAGETABLE },
	};
	struct ve_mem mem;
	int i;

	mem_cgroup_flush_stats(memcg);
	ve_mem_read(&mem, memcg);
	show_kb(m, "MemTotal:       ", mem.total);
	show_kb(m, "MemFree:        ", mem.total - mem.used);
	show_kb(m, "MemAvailable:   ", ve_mem_available(&mem, memcg));
	show_kb(m, "Buffers:        ", 0);
	show_kb(m, "Cached:         ", memcg_page_state(memcg, NR_FILE_PAGES));
	show_kb(m, "SwapCached:     ", 0);
	show_kb(m, "Active:         ", memcg_page_state(memcg, NR_ACTIVE_ANON) +
					memcg_page_state(memcg, NR_ACTIVE_FILE));
	show_kb(m, "Inactive:       ", memcg_page_state(memcg, NR_INACTIVE_ANON) +
					memcg_page_state(memcg, NR_INACTIVE_FILE));
	show_kb(m, "SwapTotal:      ", mem.swap_total);
	show_kb(m, "SwapFree:       ", mem.swap_total - mem.swap_used);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		show_kb(m, rows[i].name,
			memcg_page_state(memcg, rows[i].item) >> rows[i].shift);
	show_kb(m, "Slab:           ",
		(memcg_page_state(memcg, NR_SLAB_RECLAIMABLE_B) +
		 memcg_page_state(memcg, NR_SLAB_UNRECLAIMABLE_B)) >> PAGE_SHIFT);
	show_kb(m, "CommitLimit:    ", mem.total + mem.swap_total);
	show_kb(m, "Committed_AS:   ",
		ub_held(current->ve->ub, UB_PRIVVMPAGES));
}

bool ve_meminfo_show(struct seq_file *m)
{
	struct mem_cgroup *memcg;

	if (current_on_node())
		return false;
	memcg = ub_memcg_get(current->ve->ub);
	if (!memcg)
		return false;
	ve_meminfo(m, memcg);
	mem_cgroup_put(memcg);
	return true;
}

void ve_swaps_show(struct seq_file *m)
{
	struct mem_cgroup *memcg;
	struct ve_mem mem;

	if (current_on_node())
		return;
	memcg = ub_memcg_get(current->ve->ub);
	if (!memcg)
		return;
	ve_mem_read(&mem, memcg);
	mem_cgroup_put(memcg);
	if (mem.swap_total)
		seq_printf(m, "swap\t\t\t\t\tpartition\t%lu\t\t%lu\t\t0\n",
			   mem.swap_total << (PAGE_SHIFT - 10),
			   mem.swap_used << (PAGE_SHIFT - 10));
}

/* Of /proc/vmstat a VE gets what its memory cgroup counts; the rest is 0. */
void ve_vmstat_fill(unsigned long *zone, unsigned long *node, size_t all)
{
	static const u8 items[] = {
		NR_INACTIVE_ANON, NR_ACTIVE_ANON, NR_INACTIVE_FILE,
		NR_ACTIVE_FILE, NR_UNEVICTABLE, NR_SLAB_RECLAIMABLE_B,
		NR_SLAB_UNRECLAIMABLE_B, NR_ANON_MAPPED, NR_FILE_MAPPED,
		NR_FILE_PAGES, NR_FILE_DIRTY, NR_WRITEBACK, NR_SHMEM,
		NR_PAGETABLE,
	};
	struct mem_cgroup *memcg;
	struct ve_mem mem;
	int i;

	if (current_on_node())
		return;
	memset(zone, 0, all);
	memcg = ub_memcg_get(current->ve->ub);
	if (!memcg)
		return;
	mem_cgroup_flush_stats(memcg);
	ve_mem_read(&mem, memcg);
	zone[NR_FREE_PAGES] = mem.total - mem.used;
	for (i = 0; i < ARRAY_SIZE(items); i++)
		node[items[i]] = memcg_page_state(memcg, items[i]) >>
				 (vmstat_item_in_bytes(items[i]) ? PAGE_SHIFT : 0);
	mem_cgroup_put(memcg);
}

u64 ve_boottime_ns(u64 ns)
{
	u64 start = current_on_node() ? 0 : current->ve->start_boottime;

	return ns > start ? ns - start : 0;
}

static u64 ve_uptime_ns(void)
{
	return ve_boottime_ns(ktime_get_boottime_ns());
}

struct ve_times {
	u64 user, system, steal, idle;
};

/**
 * struct ve_line - a line of /proc/stat, and what one CPU of the node has had
 * @times: what it says
 * @busy: of this look
 * @owed: time that was used and not yet taken off @times.idle
 * @user, @system: the VE's on the CPU of this number, at the last look
 */
struct ve_line {
	struct ve_times times;
	u64 busy, owed;
	u64 user, system;
};

/**
 * struct ve_shown - what /proc/stat says, of which it never says less
 * @lock: all of it
 * @up: uptime at the last look
 * @sum: its first line
 * @cpu: of each number that a CPU may have, be it one of the node's or of those
 *	that the VE sees
 */
struct ve_shown {
	struct mutex lock;
	u64 up;
	struct ve_line sum;
	struct ve_line cpu[];
};

struct ve_shown *ve_shown_alloc(void)
{
	struct ve_shown *s = kzalloc(struct_size(s, cpu, nr_cpu_ids),
				     GFP_KERNEL_ACCOUNT);

	if (s)
		mutex_init(&s->lock);
	return s;
}

/* CPU time is counted by ticks: what was used may be seen up to so much later. */
#define VE_IDLE_OWED	(NSEC_PER_SEC / 10)

static void ve_line_idle(struct ve_line *l, u64 passed)
{
	u64 used = l->busy + l->owed;

	if (passed >= used)
		l->times.idle += passed - used;
	l->owed = passed >= used ? 0 : min(used - passed, VE_IDLE_OWED);
	l->busy = 0;
}

static void ve_line_add(struct ve_line *l, u64 user, u64 system, u64 steal)
{
	l->times.user += user;
	l->times.system += system;
	l->times.steal += steal;
	l->busy += user + system + steal;
}

/*
 * Bring the VE's lines up to now.  What its CPUs had since the last look goes to
 * the visible ones that they stand for now, and what is left of the time was
 * idle: so a change of their number, or more use than they have, lets nothing
 * fall.
 */
static void ve_times_count(struct ve_shown *s, struct ve_struct *ve)
{
	unsigned int all = ve_nr_cpus(ve), cpu;
	u64 up, steal;

	lockdep_assert_held(&s->lock);
	cgroup_rstat_flush(ve->acct);
	up = ve_uptime_ns();
	for_each_possible_cpu(cpu) {
		const struct task_cputime *c =
			&per_cpu_ptr(ve->acct->rstat_cpu, cpu)->subtree_bstat.cputime;
		struct ve_line *had = &s->cpu[cpu];
		u64 user = c->utime - had->user, system = c->stime - had->system;

		ve_line_add(&s->cpu[cpu % all], user, system, 0);
		ve_line_add(&s->sum, user, system, 0);
		had->user += user;
		had->system += system;
	}
	steal = atomic64_read(&ve->cpu.throttled) - s->sum.times.steal;
	ve_line_add(&s->cpu[0], 0, 0, steal);
	ve_line_add(&s->sum, 0, 0, steal);
	for (cpu = 0; cpu < all; cpu++)
		ve_line_idle(&s->cpu[cpu], up - s->up);
	ve_line_idle(&s->sum, (up - s->up) * all);
	s->up = up;
}

static void show_times(struct seq_file *m, const struct ve_times *t)
{
	seq_put_decimal_ull(m, " ", nsec_to_clock_t(t->user));
	seq_puts(m, " 0");
	seq_put_decimal_ull(m, " ", nsec_to_clock_t(t->system));
	seq_put_decimal_ull(m, " ", nsec_to_clock_t(t->idle));
	seq_puts(m, " 0 0 0");
	seq_put_decimal_ull(m, " ", nsec_to_clock_t(t->steal));
	seq_puts(m, " 0 0\n");
}

struct ve_tasks {
	unsigned int running, blocked, threads;
};

/* Without the one that asks. */
static void ve_tasks(struct ve_tasks *n, struct ve_struct *ve)
{
	struct task_struct *p, *t;
	pid_t nr;

	*n = (struct ve_tasks){};
	guard(rcu)();
	for_each_task_ve(p, ve, nr) {
		for_each_thread(p, t) {
			unsigned int state = READ_ONCE(t->__state);

			n->threads++;
			if (t == current)
				continue;
			n->running += state == TASK_RUNNING;
			n->blocked += state & TASK_UNINTERRUPTIBLE &&
				      !(state & (TASK_NOLOAD | TASK_FROZEN));
		}
	}
}

static unsigned int ve_last_pid(void)
{
	return idr_get_cursor(&current->ve->nsproxy->pid_ns_for_children->idr) - 1;
}

bool ve_stat_show(struct seq_file *m)
{
	struct ve_shown *s = current->ve->shown;
	struct timespec64 boot;
	unsigned int cpus, i;
	struct ve_tasks n;

	if (current_on_node())
		return false;
	scoped_guard(mutex, &s->lock) {
		ve_times_count(s, current->ve);
		cpus = ve_nr_cpus(current->ve);
		seq_puts(m, "cpu ");
		show_times(m, &s->sum.times);
		for (i = 0; i < cpus; i++) {
			seq_printf(m, "cpu%u", i);
			show_times(m, &s->cpu[i].times);
		}
	}
	getboottime64(&boot);
	ve_tasks(&n, current->ve);
	seq_printf(m, "intr 0\nctxt 0\nbtime %llu\nprocesses %lu\n"
		   "procs_running %u\nprocs_blocked %u\nsoftirq 0\n",
		   div_u64(timespec64_to_ns(&boot) + current->ve->start_boottime,
			   NSEC_PER_SEC),
		   data_race(current->ve->forks), n.running + 1, n.blocked);
	return true;
}

bool ve_uptime_show(struct seq_file *m)
{
	struct ve_shown *s = current->ve->shown;
	u64 up, idle;

	if (current_on_node())
		return false;
	scoped_guard(mutex, &s->lock) {
		ve_times_count(s, current->ve);
		up = div_u64(s->up, NSEC_PER_SEC / 100);
		idle = div_u64(s->sum.times.idle, NSEC_PER_SEC / 100);
	}
	seq_printf(m, "%llu.%02llu %llu.%02llu\n", up / 100, up % 100, idle / 100,
		   idle % 100);
	return true;
}

#define VE_LOAD_KEEP	(60 * HZ)	/* sampled this long after the last look */

static void ve_load_sample(struct work_struct *work)
{
	struct ve_load *load = container_of(to_delayed_work(work), struct ve_load, work);
	struct ve_struct *ve = container_of(load, struct ve_struct, load);
	static const unsigned long exps[] = { EXP_1, EXP_5, EXP_15 };
	struct ve_tasks n;
	int i;

	ve_tasks(&n, ve);
	for (i = 0; i < 3; i++)
		WRITE_ONCE(load->avg[i], calc_load(load->avg[i], exps[i],
				(n.running + n.blocked) * FIXED_1));
	if (time_before(jiffies, READ_ONCE(load->looked_at) + VE_LOAD_KEEP))
		schedule_delayed_work(&load->work, LOAD_FREQ);
	else
		WRITE_ONCE(load->sampled, false);
}

void ve_load_init(struct ve_struct *ve)
{
	INIT_DEFERRABLE_WORK(&ve->load.work, ve_load_sample);
}

void ve_load_stop(struct ve_struct *ve)
{
	cancel_delayed_work_sync(&ve->load.work);
}

/* The VE's load averages; who looks first after a while gets what there is now. */
static void ve_load_read(struct ve_struct *ve, unsigned long avg[3])
{
	struct ve_load *load = &ve->load;
	struct ve_tasks n;
	int i;

	WRITE_ONCE(load->looked_at, jiffies);
	if (!xchg(&load->sampled, true)) {
		ve_tasks(&n, ve);
		for (i = 0; i < 3; i++)
			WRITE_ONCE(load->avg[i], (n.running + n.blocked) * FIXED_1);
		schedule_delayed_work(&load->work, LOAD_FREQ);
	}
	for (i = 0; i < 3; i++)
		avg[i] = READ_ONCE(load->avg[i]);
}

bool ve_loadavg_show(struct seq_file *m)
{
	unsigned long avg[3];
	struct ve_tasks n;
	int i;

	if (current_on_node())
		return false;
	ve_load_read(current->ve, avg);
	ve_tasks(&n, current->ve);
	for (i = 0; i < 3; i++) {
		avg[i] += FIXED_1 / 200;
		seq_printf(m, "%lu.%02lu ", LOAD_INT(avg[i]), LOAD_FRAC(avg[i]));
	}
	seq_printf(m, "%u/%u %u\n", n.running + 1, n.threads, ve_last_pid());
	return true;
}

void ve_sysinfo(struct sysinfo *info)
{
	struct mem_cgroup *memcg;
	unsigned long avg[3];
	struct ve_tasks n;
	struct ve_mem mem;
	int i;

	if (current_on_node())
		return;
	info->uptime = div_u64(ve_uptime_ns() + NSEC_PER_SEC - 1, NSEC_PER_SEC);
	ve_load_read(current->ve, avg);
	for (i = 0; i < 3; i++)
		info->loads[i] = avg[i] << (SI_LOAD_SHIFT - FSHIFT);
	ve_tasks(&n, current->ve);
	info->procs = min_t(unsigned int, n.threads, U16_MAX);
	memcg = ub_memcg_get(current->ve->ub);
	if (!memcg)
		return;
	mem_cgroup_flush_stats(memcg);
	ve_mem_read(&mem, memcg);
	info->totalram = mem.total;
	info->freeram = mem.total - mem.used;
	info->sharedram = memcg_page_state(memcg, NR_SHMEM);
	info->bufferram = 0;
	info->totalswap = mem.swap_total;
	info->freeswap = mem.swap_total - mem.swap_used;
	info->totalhigh = info->freehigh = 0;
	mem_cgroup_put(memcg);
}

#ifdef CONFIG_PSI
struct psi_group *ve_psi(struct psi_group *nodes)
{
	return current_on_node() ? nodes : cgroup_psi(current->ve->acct);
}
#endif
