// SPDX-License-Identifier: Apache-2.0
/* One VE's work that does not end, and that of others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "agent/lanes.h"

enum { STUCK = 7, OTHER = 8 };

/* One a test, and never freed: workers do not end. */
static struct scene {
	struct lanes *lanes;
	sem_t begun, go; /* of the stuck one */
	sem_t done;	 /* of the others */
} *scene;

struct job {
	struct scene *of;
	uint32_t veid;
};

static void work(void *arg)
{
	struct job *j = arg;

	if (j->veid == STUCK) {
		sem_post(&j->of->begun);
		sem_wait(&j->of->go);
	} else {
		sem_post(&j->of->done);
	}
	free(j);
}

static bool push(bool quick, uint32_t veid)
{
	struct job *j = malloc(sizeof(*j));

	*j = (struct job){ scene, veid };
	if (lanes_push(scene->lanes, quick, veid, j))
		return true;
	free(j);
	return false;
}

static bool await(sem_t *s, int seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += seconds;
	return sem_timedwait(s, &t) == 0;
}

static int start(void **state)
{
	scene = malloc(sizeof(*scene));
	sem_init(&scene->begun, 0, 0);
	sem_init(&scene->go, 0, 0);
	sem_init(&scene->done, 0, 0);
	scene->lanes = lanes_start("tests", 8, 4, work);
	return 0;
}

static int let_go(void **state)
{
	for (int i = 0; i < 256; i++)
		sem_post(&scene->go);
	return 0;
}

/* With as many of its jobs before them as the lane has workers. */
static void others_pass(bool quick, int workers)
{
	for (int i = 0; i < workers; i++)
		assert_true(push(quick, STUCK));
	for (int i = 0; i < workers / 4; i++)
		assert_true(await(&scene->begun, 10));
	for (int i = 0; i < 20; i++)
		assert_true(push(quick, OTHER));
	for (int i = 0; i < 20; i++)
		assert_true(await(&scene->done, 10));
	assert_int_equal(sem_trywait(&scene->begun), -1);
}

static void others_pass_the_quick_one(void **state)
{
	others_pass(true, 4);
}

static void and_the_slow_one(void **state)
{
	others_pass(false, 8);
}

static void what_waited_for_its_share_goes_on(void **state)
{
	for (int i = 0; i < 4; i++)
		assert_true(push(true, STUCK));
	for (int i = 0; i < 4; i++) {
		assert_true(await(&scene->begun, 10));
		sem_post(&scene->go);
	}
}

static void one_does_not_fill_the_queue(void **state)
{
	int n = 0;

	while (push(true, STUCK))
		n++;
	assert_true(n < 128);
	assert_true(push(true, OTHER));
	assert_true(await(&scene->done, 10));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, let_go)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_pass_the_quick_one),
		TEST(and_the_slow_one),
		TEST(what_waited_for_its_share_goes_on),
		TEST(one_does_not_fill_the_queue),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
