// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the rest of the kernel calls where a plain ub_charge() does not do.
 */
#include "ub.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/user_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

/* An address space is charged to the VE that it was made in, for good. */
void ub_mm_init(struct mm_struct *mm)
{
	mm->ub = ub_get(task_ub(current));
	mm->data_vm = mm->stack_vm = 0; /* of a copy: dup_mmap() says when they count */
	mm->ub_data = 0;
	mm->ub_locked = 0;
}

/* Private and writable, which is what a program's stack is, too. */
static unsigned long mm_private(const struct mm_struct *mm)
{
	return mm->data_vm + mm->stack_vm;
}

static void ub_follow(struct user_beancounter *ub, int resource,
		      unsigned long *charged, unsigned long now)
{
	if (now > *charged)
		ub_charge(ub, resource, now - *charged, UB_FORCE);
	else if (now < *charged)
		ub_uncharge(ub, resource, *charged - now);
	*charged = now;
}

/*
 * At the end of each change of the mappings, before mmap_lock is given up:
 * what has been let through is charged in one go.
 */
void __ub_mm_sync(struct mm_struct *mm)
{
	ub_follow(mm->ub, UB_PRIVVMPAGES, &mm->ub_data, mm_private(mm));
	ub_follow(mm->ub, UB_LOCKEDPAGES, &mm->ub_locked, mm->locked_vm);
}

/* Nobody else has it, or mmap_lock is held for writing. */
void ub_mm_free(struct mm_struct *mm)
{
	struct user_beancounter *ub = mm->ub;

	if (!ub)
		return;
	mm->ub = NULL;
	ub_follow(ub, UB_PRIVVMPAGES, &mm->ub_data, 0);
	ub_follow(ub, UB_LOCKEDPAGES, &mm->ub_locked, 0);
	ub_put(ub);
}

/*
 * The last user is gone.  Who still holds the structure (khugepaged) may be about
 * to unlock it, and would charge for it again; and a processor that idles holds
 * what it ran last, for as long as it idles: that must not keep the VE.
 */
void ub_mm_exit(struct mm_struct *mm)
{
	struct user_namespace *of_ve = mm->user_ns;

	if (!mm->ub)
		return;
	mmap_write_lock(mm);
	ub_mm_free(mm);
	mmap_write_unlock(mm);
	mm->user_ns = get_user_ns(&init_user_ns);
	put_user_ns(of_ve);
}

/* A stack that may not grow, and an exec that has begun, end their program. */
static enum ub_severity mapping_how(unsigned long vm_flags)
{
	return vm_flags & VM_STACK || current->in_execve ? UB_SOFT : UB_HARD;
}

/* What was let through under this lock already is charged when it is given up. */
bool __ub_may_expand(struct mm_struct *mm, unsigned long vm_flags, s64 pages)
{
	return __ub_has_room(mm->ub, UB_PRIVVMPAGES,
			     pages + max_t(s64, mm_private(mm) - mm->ub_data, 0),
			     mapping_how(vm_flags));
}

/* fork: what the program has it has been let have, and few can go on without. */
bool __ub_may_copy(struct mm_struct *mm, const struct mm_struct *old)
{
	return __ub_has_room(mm->ub, UB_PRIVVMPAGES, mm_private(old), UB_SOFT);
}

bool __ub_may_lock(struct mm_struct *mm, unsigned long vm_flags, s64 pages)
{
	return __ub_has_room(mm->ub, UB_LOCKEDPAGES, pages, mapping_how(vm_flags));
}

static bool sk_counts_as_tcp(const struct sock *sk)
{
	return sk->sk_prot_creator->twsk_prot;
}

struct user_beancounter *ub_of_net(const struct net *net)
{
	return userns_ub(net->user_ns);
}

static struct ub_row *sk_num_row(const struct sock *sk, struct user_beancounter *ub)
{
	return sk_counts_as_tcp(sk) ? &ub->row[UB_NUMTCPSOCK] :
				      &ub->row[UB_NUMOTHERSOCK];
}

/*
 * A socket that was just made, its fields in place.  What the kernel makes for
 * itself does not count; others hold their network, and that the VE.
 */
bool ub_sk_alloc(struct sock *sk, const struct net *net, enum ub_severity how)
{
	struct user_beancounter *ub = ub_of_net(net);
	struct ub_row *row;

	sk->sk_ub = NULL;
	atomic_set(&sk->sk_ub_snd, 0);
	atomic_set(&sk->sk_ub_rcv, 0);
	if (!ub || sk->sk_kern_sock)
		return true;
	row = sk_num_row(sk, ub);
	if (!ub_row_charge(ub, row, 1, ub_row_bound(row, how)))
		return false;
	sk->sk_ub = ub;
	return true;
}

static struct ub_row *sk_snd_row(const struct sock *sk)
{
	return sk_counts_as_tcp(sk) ? &sk->sk_ub->row[UB_TCPSNDBUF] :
				      &sk->sk_ub->row[UB_OTHERSOCKBUF];
}

static struct ub_row *sk_rcv_row(const struct sock *sk)
{
	return sk_counts_as_tcp(sk) ? &sk->sk_ub->row[UB_TCPRCVBUF] :
				      &sk->sk_ub->row[UB_DGRAMRCVBUF];
}

void ub_sk_free(struct sock *sk)
{
	struct user_beancounter *ub = sk->sk_ub;
	int n;

	if (!ub)
		return;
	n = atomic_read(&sk->sk_ub_snd);
	if (n)
		__ub_uncharge(sk_snd_row(sk), n);
	n = atomic_read(&sk->sk_ub_rcv);
	if (n)
		__ub_uncharge(sk_rcv_row(sk), n);
	atomic64_dec(&sk_num_row(sk, ub)->held);
	sk->sk_ub = NULL;
}

/*
 * The gap between barrier and limit is there for sockets that have nothing, one
 * packet each, while others have all that the barrier allows: they would stand
 * still.
 */
static enum ub_severity sk_mem_how(const atomic_t *has, s64 bytes)
{
	return !atomic_read(has) && bytes <= SZ_64K ? UB_SOFT : UB_HARD;
}

/**
 * __ub_sk_mem_charge - a socket takes @pages more for its buffers
 * @sk: the socket
 * @pages: how many
 * @kind: SK_MEM_SEND or SK_MEM_RECV
 * @how: UB_SOFT: it has as much as it may and would not wait; UB_FORCE: cannot
 * be refused
 */
bool __ub_sk_mem_charge(struct sock *sk, int pages, int kind, enum ub_severity how)
{
	bool snd = kind == SK_MEM_SEND;
	atomic_t *has = snd ? &sk->sk_ub_snd : &sk->sk_ub_rcv;
	s64 bytes = (s64)pages << PAGE_SHIFT;
	struct ub_row *row = snd ? sk_snd_row(sk) : sk_rcv_row(sk);

	if (how == UB_HARD && sk_counts_as_tcp(sk))
		how = sk_mem_how(has, bytes);
	if (!__ub_charge(sk->sk_ub, row, bytes, ub_row_bound(row, how)))
		return false;
	atomic_add(bytes, has);
	return true;
}

/* Take up to @bytes off @charged: how many it were. */
static int sk_take(atomic_t *charged, int bytes)
{
	int old = atomic_read(charged);
	int n;

	do {
		n = min(old, bytes);
	} while (n > 0 && !atomic_try_cmpxchg(charged, &old, old - n));
	return max(n, 0);
}

/*
 * Pages of a TCP socket come back without saying whether they were to send or
 * to receive: those beyond what waits to be sent were the sender's, the rest
 * were not.  Of another socket they were to receive; what it sends comes back
 * by __ub_sk_send_uncharge().  A socket's both sums end at nothing.
 */
void __ub_sk_mem_uncharge(struct sock *sk, int pages)
{
	int bytes = pages << PAGE_SHIFT;
	int snd = 0, spare = 0;

	if (sk_counts_as_tcp(sk))
		spare = atomic_read(&sk->sk_ub_snd) - READ_ONCE(sk->sk_wmem_queued);
	if (spare > 0)
		snd = sk_take(&sk->sk_ub_snd, min(bytes, spare));
	if (snd)
		__ub_uncharge(sk_snd_row(sk), snd);
	bytes = sk_take(&sk->sk_ub_rcv, bytes - snd);
	if (bytes)
		__ub_uncharge(sk_rcv_row(sk), bytes);
}

/* A message of a socket other than TCP, until its receiver has taken it. */
bool __ub_sk_send_charge(struct sock *sk, int bytes)
{
	if (!ub_charge(sk->sk_ub, UB_OTHERSOCKBUF, bytes,
		       sk_mem_how(&sk->sk_ub_snd, bytes)))
		return false;
	atomic_add(bytes, &sk->sk_ub_snd);
	return true;
}

/* The rest of a message whose beginning was let through. */
void __ub_sk_send_force(struct sock *sk, int bytes)
{
	ub_charge(sk->sk_ub, UB_OTHERSOCKBUF, bytes, UB_FORCE);
	atomic_add(bytes, &sk->sk_ub_snd);
}

/* A fragment of TCP comes by here too; what it is made of has been charged as pages. */
void __ub_sk_send_uncharge(struct sock *sk, int bytes)
{
	int n = sk_counts_as_tcp(sk) ? 0 : sk_take(&sk->sk_ub_snd, bytes);

	if (n)
		ub_uncharge(sk->sk_ub, UB_OTHERSOCKBUF, n);
}

/* See <linux/ub_sock.h>. */
bool __ub_sk_recv_room(struct sock *sk, int bytes)
{
	return __ub_has_room(sk->sk_ub, sk_rcv_row(sk) - sk->sk_ub->row, bytes,
			     sk_mem_how(&sk->sk_ub_rcv, bytes));
}

void __ub_sk_recv_force(struct sock *sk, int bytes)
{
	__ub_charge(sk->sk_ub, sk_rcv_row(sk), bytes, UB_MAXVALUE);
	atomic_add(bytes, &sk->sk_ub_rcv);
}

void __ub_sk_recv_uncharge(struct sock *sk, int bytes)
{
	int n = sk_take(&sk->sk_ub_rcv, bytes);

	if (n)
		__ub_uncharge(sk_rcv_row(sk), n);
}
