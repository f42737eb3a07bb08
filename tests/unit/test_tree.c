// SPDX-License-Identifier: Apache-2.0
/* Private trees whose owner was hostile: deep, full of links, unreadable. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/libve/clean.h"
#include "agent/pack.h"
#include "agent/tree.h"

static char base[32];

static int make_base(void **state)
{
	strcpy(base, "/tmp/ve-tree-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int drop_base(void **state)
{
	char *cmd _free_ = xasprintf("rm -rf %s", base);

	return system(cmd);
}

static bool is_there(const char *what)
{
	char *path _free_ = xasprintf("%s/%s", base, what);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void sweep(void)
{
	int pid = tree_sweep(base);

	if (pid)
		assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static unsigned count(const char *what)
{
	char *path _free_ = xasprintf("%s/%s", base, what);
	DIR *d = opendir(path);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n < 2 ? 0 : n - 2;
}

static void a_tree_is_made_once_and_erased(void **state)
{
	int fd = tree_open(base, 7, 0, NULL), again;

	assert_true(fd >= 0);
	assert_true(is_there("7/upper") && is_there("7/work"));
	close(openat(fd, "upper/file", O_CREAT | O_WRONLY, 0600));
	again = tree_open(base, 7, 0, NULL);
	assert_true(again >= 0 && is_there("7/upper/file"));
	close(fd);
	close(again);
	assert_int_equal(tree_erase(base, 7, NULL), 0);
	assert_false(is_there("7"));
	assert_int_equal(tree_erase(base, 7, NULL), 0);
	sweep();
	assert_int_equal(count(".trash"), 0);
}

static void deep_trees_go(void **state)
{
	int fd = tree_open(base, 8, 0, NULL);

	assert_true(fd >= 0);
	for (int i = 0; i < 500; i++) {
		int sub;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		close(openat(fd, "f", O_CREAT | O_WRONLY, 0600));
		sub = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = sub;
	}
	close(fd);
	tree_erase(base, 8, NULL);
	sweep();
	assert_int_equal(count(".trash"), 0);
}

static void nothing_behind_a_link_is_touched(void **state)
{
	int fd = tree_open(base, 9, 0, NULL);
	char *outside _free_ = xasprintf("%s/outside", base);
	char *file _free_ = xasprintf("%s/file", outside);

	assert_int_equal(mkdir(outside, 0700), 0);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	symlinkat(outside, fd, "upper/link");
	symlinkat("../../outside", fd, "upper/relative");
	symlinkat("/", fd, "upper/root");
	mkfifoat(fd, "upper/fifo", 0600);
	mkdirat(fd, "upper/closed", 0);
	close(fd);
	tree_erase(base, 9, NULL);
	sweep();
	assert_int_equal(count(".trash"), 0);
	assert_true(is_there("outside/file"));
}

/*
 * The same while its owner is still at it: a directory and a link to outside
 * change places all the time.  ROUNDS in the environment asks for more.
 */
static void storm(int dir, const char *outside, volatile unsigned long *made)
{
	for (;;) {
		mkdirat(dir, "a", 0700);
		close(openat(dir, "a/file", O_CREAT | O_WRONLY, 0600));
		if (symlinkat(outside, dir, "b") == 0)
			++*made;
		for (int i = 0; i < 16; i++)
			renameat2(dir, "a", dir, "b", RENAME_EXCHANGE);
	}
}

static void write_word(const char *file, const char *word)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(word, f);
	fclose(f);
}

/* Whether a pack of what is below @dir has it; one that failed half-way too. */
static bool is_packed(int dir, const char *word)
{
	static char text[1 << 16];
	int pack = memfd_create("pack", MFD_CLOEXEC);
	struct err e = { 0 };
	gzFile f;
	int n;

	pack_write(dir, pack, &e);
	lseek(pack, 0, SEEK_SET);
	f = gzdopen(pack, "rb");
	assert_non_null(f);
	n = gzread(f, text, sizeof(text));
	gzclose(f);
	return n > 0 && memmem(text, (size_t)n, word, strlen(word));
}

static void nor_in_a_storm_of_renames(void **state)
{
	const char *more = getenv("ROUNDS");
	unsigned long rounds = more ? strtoul(more, NULL, 10) : 2000;
	unsigned long *made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd _close_ = tree_open(base, 11, 0, NULL);
	int dir _close_ = openat(fd, "upper", O_RDONLY | O_DIRECTORY);
	char *outside _free_ = xasprintf("%s/outside", base);
	char *file _free_ = xasprintf("%s/file", outside);
	char *own _free_ = xasprintf("%s/11/upper/own", base);
	bool safe = true;
	int pid;

	assert_true(made != MAP_FAILED);
	assert_int_equal(mkdir(outside, 0700), 0);
	write_word(file, "SECRET");
	write_word(own, "OWN");
	assert_true(is_packed(dir, "OWN"));
	pid = fork();
	if (pid == 0)
		storm(dir, outside, made);
	while (!*(volatile unsigned long *)made)
		sched_yield();
	for (unsigned long i = 0; safe && i < rounds; i++) {
		safe = !is_packed(dir, "SECRET");
		tree_empty(dup(dir));
		safe &= is_there("outside/file");
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(safe);
	munmap(made, sizeof(*made));
}

/* Capabilities of a file, in the form that the kernel keeps them (linux/capability.h):
 * version 2, CAP_NET_RAW permitted and effective. */
static const uint32_t capability[5] = { 0x02000001, 1u << 13, 0, 0, 0 };

static void a_pack_brings_all_back(void **state)
{
	int from _close_ = tree_open(base, 12, 0, NULL);
	int to _close_ = tree_open(base, 13, 0, NULL);
	char *file _free_ = xasprintf("%s/12/upper/file", base);
	char *back _free_ = xasprintf("%s/13/upper/file", base);
	int pack _close_ = memfd_create("pack", MFD_CLOEXEC);
	struct err e = { 0 };
	uint32_t got[5];
	struct stat st;
	bool capable;

	write_word(file, "word");
	assert_int_equal(chmod(file, 04751), 0);
	capable = setxattr(file, "security.capability", capability,
			   sizeof(capability), 0) == 0; /* as root */
	assert_int_equal(linkat(from, "upper/file", from, "upper/second", 0), 0);
	tree_empty(dup(to));
	assert_int_equal(pack_write(from, pack, &e), 0);
	lseek(pack, 0, SEEK_SET);
	assert_int_equal(pack_read(pack, to, &e), 0);
	assert_int_equal(stat(back, &st), 0);
	assert_int_equal(st.st_mode & 07777, 04751);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(st.st_nlink, 2);
	if (!capable)
		return;
	assert_int_equal(getxattr(back, "security.capability", got, sizeof(got)),
			 sizeof(got));
	assert_memory_equal(got, capability, sizeof(got));
}

/* In place of the C library's: what stood in the base when it, or the directory of
 * the packs, was last synced. */
static struct {
	bool tree, pack;
} on_disk;

int fsync(int fd)
{
	char *packs _free_ = xasprintf("%s/.packed", base);
	struct stat what, is;

	if (fstat(fd, &what) == 0 && stat(base, &is) == 0 &&
	    what.st_ino == is.st_ino)
		on_disk.tree = is_there("16");
	if (stat(packs, &is) == 0 && what.st_ino == is.st_ino)
		on_disk.pack = is_there(".packed/16");
	return (int)syscall(SYS_fsync, fd);
}

static void what_is_erased_is_off_the_disk(void **state)
{
	char *pack _free_ = xasprintf("%s/.packed/16", base);

	close(tree_open(base, 16, 0, NULL));
	assert_int_equal(tree_pack(base, 16, NULL), 0);
	close(tree_open(base, 16, 0, NULL));
	on_disk.tree = on_disk.pack = true;
	assert_int_equal(access(pack, F_OK), 0);
	assert_int_equal(tree_erase(base, 16, NULL), 0);
	assert_false(on_disk.tree || on_disk.pack);
}

/* A page of data in each 64 KiB; what there is between them takes no room, packed
 * or unpacked. */
static void holes_stay_holes(void **state)
{
	int from _close_ = tree_open(base, 14, 0, NULL);
	int to _close_ = tree_open(base, 15, 0, NULL);
	int pack _close_ = memfd_create("pack", MFD_CLOEXEC);
	int fd _close_ = openat(from, "upper/file", O_CREAT | O_WRONLY, 0600);
	struct stat was, is;
	struct err e = { 0 };

	for (off_t i = 0; i < 64; i++)
		assert_int_equal(pwrite(fd, "word", 4, i * 65536), 4);
	assert_int_equal(ftruncate(fd, 64 * 65536), 0);
	fsync(fd);
	assert_int_equal(fstat(fd, &was), 0);
	tree_empty(dup(to));
	assert_int_equal(pack_write(from, pack, &e), 0);
	lseek(pack, 0, SEEK_SET);
	assert_int_equal(pack_read(pack, to, &e), 0);
	sync();
	assert_int_equal(fstatat(to, "upper/file", &is, 0), 0);
	assert_int_equal(is.st_size, was.st_size);
	assert_true(is.st_blocks <= was.st_blocks + 16);
}

/* A file of sysfs that says EINVAL when it is read: the speed of a loopback. */
static void what_cannot_be_read_is_not_packed(void **state)
{
	int dir _close_ = open("/sys/devices/virtual/net/lo", O_RDONLY | O_DIRECTORY);
	int pack _close_ = memfd_create("pack", MFD_CLOEXEC);
	struct err e = { 0 };

	if (dir < 0)
		skip();
	assert_true(pack_write(dir, pack, &e) < 0);
	assert_non_null(strstr(e.text, "in the private tree"));
}

/* The place of a tree is a link that somebody planted: it is not followed. */
static void a_link_in_its_place_is_refused(void **state)
{
	char *link _free_ = xasprintf("%s/10", base);

	assert_int_equal(symlink("/tmp", link), 0);
	assert_true(tree_open(base, 10, 0, NULL) < 0);
}

static void templates_are_listed(void **state)
{
	struct msg_template t[MSG_TEMPLATES];
	char *dir _free_ = xasprintf("%s/tiny", base);
	char *odd _free_ = xasprintf("%s/Odd", base);
	char *link _free_ = xasprintf("%s/linked", base);
	char *digest _free_ = xasprintf("%s/tiny.digest", base);
	FILE *f = fopen(digest, "w");

	fputs("sha256:12ab\n", f);
	fclose(f);
	mkdir(dir, 0755);
	mkdir(odd, 0755);
	assert_int_equal(symlink("tiny", link), 0);
	assert_int_equal(tree_templates(base, t), 1);
	assert_string_equal(t[0].name, "tiny");
	assert_string_equal(t[0].digest, "sha256:12ab");
	assert_int_equal(tree_template(base, "none", NULL), -ENOENT);
	assert_int_equal(tree_template(base, "linked", NULL), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_base, drop_base)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tree_is_made_once_and_erased),
		TEST(deep_trees_go),
		TEST(nothing_behind_a_link_is_touched),
		TEST(nor_in_a_storm_of_renames),
		TEST(a_pack_brings_all_back),
		TEST(holes_stay_holes),
		TEST(what_is_erased_is_off_the_disk),
		TEST(what_cannot_be_read_is_not_packed),
		TEST(a_link_in_its_place_is_refused),
		TEST(templates_are_listed),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
