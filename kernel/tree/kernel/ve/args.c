// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space says, copied once, bounded and checked, before anything is
 * made of it.
 */
#include "ve.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* One string; its length counts against the bound of the whole env_exec. */
static char *ve_copy_string(struct ve_exec *ex, u64 uptr)
{
	size_t room = ENV_EXEC_MAX_BYTES - ex->bytes;
	char *s;

	s = strndup_user(u64_to_user_ptr(uptr), room);
	if (IS_ERR(s))
		return PTR_ERR(s) == -EINVAL ? ERR_PTR(-E2BIG) : s;
	ex->bytes += strlen(s) + 1;
	return s;
}

static int ve_copy_vector(struct ve_exec *ex, const char ***to, u64 uptr)
{
	const u64 __user *from = u64_to_user_ptr(uptr);
	const char **v;
	u64 p;
	int n;

	v = kcalloc(ENV_EXEC_MAX_STRINGS + 1, sizeof(*v), GFP_KERNEL_ACCOUNT);
	if (!v)
		return -ENOMEM;
	*to = v;
	for (n = 0; uptr; n++) {
		char *s;

		if (get_user(p, from + n))
			return -EFAULT;
		if (!p)
			break;
		if (ex->strings++ >= ENV_EXEC_MAX_STRINGS)
			return -E2BIG;
		s = ve_copy_string(ex, p);
		if (IS_ERR(s))
			return PTR_ERR(s);
		v[n] = s;
	}
	return 0;
}

static int ve_copy_fds(struct ve_exec *ex, const struct env_exec *u)
{
	const struct env_fdmap __user *from = u64_to_user_ptr(u->fds);
	struct env_fdmap map;
	u32 i, j;

	if (u->nr_fds > ENV_EXEC_MAX_FDS)
		return -E2BIG;
	for (i = 0; i < u->nr_fds; i++) {
		if (copy_from_user(&map, from + i, sizeof(map)))
			return -EFAULT;
		if (map.dst < 0 || map.dst >= 256)
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (ex->dst[j] == map.dst)
				return -EINVAL;
		ex->files[i] = fget(map.src);
		if (!ex->files[i])
			return -EBADF;
		ex->dst[i] = map.dst;
		ex->nr_fds = i + 1;
	}
	return 0;
}

/**
 * ve_exec_copy - take over what an env_exec says
 * @ex: zeroed; the caller releases it in any case
 * @u: the structure, already in kernel memory
 *
 * Return: 0, -EINVAL (flags, descriptor numbers, no path), -E2BIG (bounds),
 * -EFAULT, -EBADF, -ENOMEM.
 */
int ve_exec_copy(struct ve_exec *ex, const struct env_exec *u)
{
	int err;

	if (u->flags & ~ENV_EXEC_CTTY || !u->path)
		return -EINVAL;
	ex->flags = u->flags;
	ex->uid = u->uid;
	ex->gid = u->gid;

	ex->path = ve_copy_string(ex, u->path);
	if (IS_ERR(ex->path)) {
		err = PTR_ERR(ex->path);
		ex->path = NULL;
		return err;
	}
	if (u->cwd) {
		ex->cwd = ve_copy_string(ex, u->cwd);
		if (IS_ERR(ex->cwd)) {
			err = PTR_ERR(ex->cwd);
			ex->cwd = NULL;
			return err;
		}
	}
	err = ve_copy_vector(ex, &ex->argv, u->argv);
	if (!err)
		err = ve_copy_vector(ex, &ex->envp, u->envp);
	if (!err && !ex->argv[0]) {
		ex->argv[0] = kstrdup(ex->path, GFP_KERNEL_ACCOUNT);
		if (!ex->argv[0])
			err = -ENOMEM;
	}
	return err ?: ve_copy_fds(ex, u);
}

static void ve_free_vector(const char **v)
{
	int n;

	for (n = 0; v && v[n]; n++)
		kfree(v[n]);
	kfree(v);
}

void ve_exec_release(struct ve_exec *ex)
{
	int i;

	for (i = 0; i < ex->nr_fds; i++)
		fput(ex->files[i]);
	ve_free_vector(ex->argv);
	ve_free_vector(ex->envp);
	kfree(ex->path);
	kfree(ex->cwd);
	memset(ex, 0, sizeof(*ex));
}

/* The parts of env_create_args that need no look at the machine. */
int ve_create_check(const struct env_create_args *args)
{
	const u64 flags = ENV_CREATE_HOLD | ENV_CREATE_KILL_ON_CLOSE;
	const u64 features = ENV_FEAT_ALL;

	if (args->flags & ~flags || args->features & ~features)
		return -EINVAL;
	if (!args->id_first || !args->id_count ||
	    args->id_first + args->id_count < args->id_first ||
	    args->id_first + args->id_count == U32_MAX)
		return -EINVAL;
	if (args->flags & ENV_CREATE_HOLD)
		return args->veid ? -EINVAL : 0;
	if (!args->veid || args->veid > ENV_VEID_MAX)
		return -EINVAL;
	return 0;
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>

static void test_create_check(struct kunit *test)
{
	const struct env_create_args good = {
		.veid = 1000, .id_first = 1000000, .id_count = 65536,
	};
	struct env_create_args a = good;

	KUNIT_EXPECT_EQ(test, ve_create_check(&a), 0);

#define REFUSED(change)						\
	do {							\
		a = good;					\
		change;						\
		KUNIT_EXPECT_EQ(test, ve_create_check(&a), -EINVAL);	\
	} while (0)
	REFUSED(a.veid = 0);
	REFUSED(a.veid = ENV_VEID_MAX + 1);
	REFUSED(a.flags = 1ULL << 2);
	REFUSED(a.flags = 1ULL << 63);
	REFUSED(a.features = ENV_FEAT_ALL + 1);
	REFUSED(a.id_first = 0);
	REFUSED(a.id_count = 0);
	REFUSED(a.id_first = U32_MAX);
	REFUSED((a.id_first = U32_MAX - 1, a.id_count = 2));
	REFUSED(a.flags = ENV_CREATE_HOLD); /* held VEs have no number yet */
#undef REFUSED

	a = good;
	a.veid = ENV_VEID_MAX;
	KUNIT_EXPECT_EQ(test, ve_create_check(&a), 0);
	a.flags = ENV_CREATE_HOLD;
	a.veid = 0;
	KUNIT_EXPECT_EQ(test, ve_create_check(&a), 0);
	a.features = ENV_FEAT_ALL;
	KUNIT_EXPECT_EQ(test, ve_create_check(&a), 0);
}

static struct kunit_case ve_args_cases[] = {
	KUNIT_CASE(test_create_check),
	{}
};

static struct kunit_suite ve_args_suite = {
	.name = "ve_args",
	.test_cases = ve_args_cases,
};
kunit_test_suite(ve_args_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
