// SPDX-License-Identifier: Apache-2.0
/* Leases on a clock of our own: terms, nonces, quarantine, the waiting line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "agent/db.h"
#include "agent/lease.h"
#include "agent/libve/buf.h"

#define QUARANTINE 60000

static sqlite3 *db;
static char nonce[NONCE_TEXT];

static int open_db(void **state)
{
	db = db_open(":memory:", NULL);
	if (!db)
		return -1;
	return lease_boot(db, "boot-1", 0, 0, QUARANTINE);
}

static int close_db(void **state)
{
	db_close(db);
	return 0;
}

/* The nonce and the milliseconds left, as the lender reads them. */
static int64_t look(const char *id, int64_t now)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };
	const char *at;

	json_open(&o, NULL, '{');
	lease_block_show(db, id, now, &o);
	json_close(&o, '}');
	at = strstr(b.data, "\"nonce\":\"");
	memcpy(nonce, at + 9, 32);
	nonce[32] = '\0';
	at = strstr(b.data, "\"remaining_ms\":");
	return strtoll(at + 15, NULL, 10);
}

static int put(const char *range, const char *with, int64_t term, int64_t now)
{
	struct block_put b = { .term_ms = term, .acked_epoch = -1 };

	strcpy(b.range, range);
	strcpy(b.nonce, with);
	return lease_block_put(db, "b1", &b, now, NULL);
}

static void lend(const char *range, int64_t term, int64_t now)
{
	assert_true(put(range, "", term, now) >= 0);
	look("b1", now);
	assert_true(put(range, nonce, term, now) >= 0);
}

static void the_end_counts_from_the_nonce(void **state)
{
	put("10.0.0.0/30", "", 60000, 1000);
	assert_int_equal(look("b1", 1000), 0);
	/* the renewal was on its way for 20 s: they are off */
	put("10.0.0.0/30", nonce, 60000, 21000);
	assert_int_equal(look("b1", 21000), 1000 + 45000 - 21000);
}

static void a_nonce_counts_once(void **state)
{
	char old[NONCE_TEXT];

	put("10.0.0.0/30", "", 60000, 0);
	look("b1", 0);
	strcpy(old, nonce);
	put("10.0.0.0/30", old, 60000, 10000);
	assert_int_equal(look("b1", 10000), 35000);
	put("10.0.0.0/30", old, 60000, 20000);
	assert_int_equal(look("b1", 20000), 25000);
	put("10.0.0.0/30", "ffffffffffffffffffffffffffffffff", 60000, 20000);
	assert_int_equal(look("b1", 20000), 25000);
}

static void a_late_echo_never_shortens(void **state)
{
	lend("10.0.0.0/30", 60000, 0);
	look("b1", 0);
	put("10.0.0.0/30", nonce, 1000, 100);
	assert_int_equal(look("b1", 100), 44900);
}

static void addresses_run_out_and_rest(void **state)
{
	struct lease a, b, c, was;

	lend("10.0.0.0/31", 6000000, 0);
	assert_int_equal(lease_pick(db, 1, 100, 0, &a), 0);
	assert_int_equal(lease_pick(db, 2, 100, 0, &b), 0);
	assert_false(addr_equal(&a.address, &b.address));
	assert_true(b.epoch > a.epoch);
	assert_int_equal(lease_pick(db, 3, 100, 0, &c), -EADDRNOTAVAIL);
	assert_true(lease_end(db, 1, 200, 0, QUARANTINE, &was));
	assert_true(addr_equal(&was.address, &a.address));
	assert_false(lease_end(db, 1, 200, 0, QUARANTINE, &was));
	assert_int_equal(lease_pick(db, 3, 200 + QUARANTINE - 1, 0, &c),
			 -EADDRNOTAVAIL);
	assert_int_equal(lease_pick(db, 3, 200 + QUARANTINE, 0, &c), 0);
	assert_true(addr_equal(&c.address, &a.address));
	assert_true(c.epoch > b.epoch);
}

static void who_rested_longest_comes_first(void **state)
{
	struct lease l, was;
	struct addr first;

	lend("10.0.0.0/30", 6000000, 0);
	assert_int_equal(lease_pick(db, 1, 0, 0, &l), 0);
	first = l.address;
	lease_end(db, 1, 0, 0, 0, &was);
	for (uint32_t i = 2; i < 5; i++) {
		assert_int_equal(lease_pick(db, i, 10, 0, &l), 0);
		assert_false(addr_equal(&l.address, &first));
	}
	assert_int_equal(lease_pick(db, 5, 10, 0, &l), 0);
	assert_true(addr_equal(&l.address, &first));
}

static void nothing_is_given_of_an_ended_block(void **state)
{
	struct lease l;

	lend("10.0.0.0/30", 60000, 0);
	assert_int_equal(lease_pick(db, 1, 44999, 0, &l), 0);
	assert_false(lease_overdue(db, 44999, &l, 1));
	assert_int_equal(lease_pick(db, 2, 45000, 0, &l), -EADDRNOTAVAIL);
	assert_true(lease_overdue(db, 45000, &l, 1));
	assert_int_equal(l.veid, 1);
}

static void a_reboot_ends_everything(void **state)
{
	struct lease l;

	lend("10.0.0.0/31", 6000000, 0);
	assert_int_equal(lease_pick(db, 1, 0, 0, &l), 0);
	assert_int_equal(lease_boot(db, "boot-1", 100, 100, QUARANTINE), 0);
	assert_int_equal(db_int(db, 0, "SELECT count(*) FROM lease", ""), 1);
	assert_int_equal(lease_boot(db, "boot-2", 100, 100, QUARANTINE), 0);
	assert_int_equal(db_int(db, 0, "SELECT count(*) FROM lease", ""), 0);
	assert_int_equal(db_int(db, 0, "SELECT count(*) FROM released", ""), 1);
	assert_int_equal(look("b1", 100), 0);
	assert_int_equal(nonce[0], '"'); /* the old one is worth nothing */
	assert_int_equal(lease_pick(db, 1, 100, 0, &l), -EADDRNOTAVAIL);
}

static int refuse(void *arg)
{
	return 1;
}

/* Its blocks would count on the clock of this one. */
static void a_reboot_that_cannot_be_written_is_told(void **state)
{
	lend("10.0.0.0/31", 6000000, 0);
	sqlite3_commit_hook(db, refuse, NULL);
	assert_true(lease_boot(db, "boot-2", 100, 100, QUARANTINE) < 0);
	assert_true(look("b1", 100) > 0);
	sqlite3_commit_hook(db, NULL, NULL);
	assert_int_equal(lease_boot(db, "boot-2", 100, 100, QUARANTINE), 0);
	assert_int_equal(look("b1", 100), 0);
}

/* Nor with one step of several. */
static void nor_half_of_it(void **state)
{
	lend("10.0.0.0/31", 6000000, 0);
	db_do(db, "CREATE TRIGGER no BEFORE UPDATE ON block BEGIN"
	      " SELECT RAISE(FAIL, 'no'); END", "");
	assert_true(lease_boot(db, "boot-2", 100, 100, QUARANTINE) < 0);
	db_do(db, "DROP TRIGGER no", "");
	assert_int_equal(lease_boot(db, "boot-2", 100, 100, QUARANTINE), 0);
	assert_int_equal(look("b1", 100), 0);
}

static void blocks_do_not_meet_or_move_under_leases(void **state)
{
	struct block_put b = { .term_ms = 60000 };
	struct lease l;

	lend("10.0.0.0/30", 60000, 0);
	strcpy(b.range, "10.0.0.0/24");
	assert_int_equal(lease_block_put(db, "b2", &b, 0, NULL), -EINVAL);
	strcpy(b.range, "10.0.1.0/24");
	assert_true(lease_block_put(db, "b2", &b, 0, NULL) >= 0);
	assert_int_equal(lease_pick(db, 1, 10, 0, &l), 0);
	assert_int_equal(put("10.0.2.0/30", "", 60000, 0), -EBUSY);
	assert_int_equal(lease_block_drop(db, "b1"), -EBUSY);
	assert_int_equal(lease_block_drop(db, "b3"), -ENOENT);
}

static void a_block_that_ran_out_gives_way(void **state)
{
	struct block_put b = { .range = "10.0.0.0/30", .term_ms = 60000 };
	struct lease l, was;

	lend("10.0.0.0/30", 60000, 0); /* valid until 45 s */
	assert_int_equal(lease_pick(db, 1, 10, 0, &l), 0);
	assert_int_equal(lease_block_put(db, "b2", &b, 44000, NULL), -EINVAL);
	/* it has run out, but a lease of it is still to be taken back */
	assert_int_equal(lease_block_put(db, "b2", &b, 46000, NULL), -EINVAL);
	lease_end(db, 1, 46000, 0, QUARANTINE, &was);
	assert_true(lease_block_put(db, "b2", &b, 46000, NULL) >= 0);
	assert_int_equal(lease_block_drop(db, "b1"), -ENOENT);
}

static void released_is_told_until_acknowledged(void **state)
{
	struct block_put b = { .range = "10.0.0.0/30", .term_ms = 6000000 };
	struct lease one, two, was;

	lend("10.0.0.0/30", 6000000, 0);
	lease_pick(db, 1, 0, 0, &one);
	lease_pick(db, 2, 0, 0, &two);
	lease_end(db, 2, 0, 0, QUARANTINE, &was); /* the later one first */
	look("b1", 0);
	lease_end(db, 1, 0, 0, QUARANTINE, &was); /* not told yet */
	strcpy(b.nonce, nonce);
	b.acked_epoch = two.epoch;
	lease_block_put(db, "b1", &b, 0, NULL);
	/* the acknowledgement covers its epoch, but it was never told */
	assert_int_equal(db_int(db, 0, "SELECT count(*) FROM released", ""), 1);
	assert_int_equal(db_int(db, 0, "SELECT veid FROM released", ""), 1);
}

static void the_line_is_served_in_order(void **state)
{
	struct lease l, was;
	uint32_t who[4];

	lend("10.0.0.0/30", 6000000, 0);
	lease_wait(db, 2, 1);
	lease_wait(db, 1, 1);
	lease_wait(db, 3, 1);
	lease_wait(db, 2, 1); /* stands there */
	lease_leave(db, 3);
	assert_int_equal(lease_waiting(db, who, 1), 1);
	assert_int_equal(who[0], 2);
	assert_int_equal(lease_waiting(db, who, 4), 2);
	assert_int_equal(who[1], 1);
	assert_int_equal(lease_place(db, 1), 2);
	lease_pick(db, 2, 0, 0, &l);
	lease_wait(db, 2, 1); /* has one */
	assert_int_equal(lease_waiting(db, who, 4), 1);
	assert_int_equal(who[0], 1);
	assert_int_equal(lease_place(db, 2), 0);
	assert_false(lease_of(db, 2, &l));
	lease_installed(db, &(struct lease){ .veid = 2, .epoch = 1 });
	assert_true(lease_of(db, 2, &l));
	/* who gave one up comes last */
	lease_end(db, 2, 0, 0, QUARANTINE, &was);
	lease_wait(db, 2, 1);
	assert_int_equal(lease_place(db, 2), 2);
}

static void add_ve(int64_t veid, int64_t lease_max);

static void wait_from(uint32_t veid, const char *network, int64_t now)
{
	add_ve(veid, 0);
	db_do(db, "UPDATE ve SET network = ? WHERE veid = ?", "ti", network,
	      (int64_t)veid);
	lease_wait(db, veid, now);
}

/* The line as it stands, "1 2 3". */
static const char *line(void)
{
	static char text[80];
	uint32_t who[16];
	size_t n = lease_waiting(db, who, 16), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lease_place(db, who[i]), i + 1);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u",
					i ? " " : "", who[i]);
	}
	return text;
}

static void networks_take_turns_in_the_line(void **state)
{
	struct lease l;

	lend("10.0.0.0/28", 6000000, 0);
	wait_from(1, "192.0.2.0/24", 1);
	wait_from(2, "192.0.2.0/24", 1);
	wait_from(3, "192.0.2.0/24", 1);
	wait_from(4, "198.51.100.0/24", 1);
	wait_from(5, "2001:db8::/64", 1);
	wait_from(6, "2001:db8::/64", 1);
	assert_string_equal(line(), "1 4 5 2 6 3");
	assert_int_equal(lease_pick(db, 1, 1, 0, &l), 0);
	/* who comes now does not pass the round that is under way */
	wait_from(7, "203.0.113.0/24", 1);
	assert_string_equal(line(), "4 5 7 2 6 3");
	/* one of a network that was served in it waits for the next */
	assert_int_equal(lease_pick(db, 4, 1, 0, &l), 0);
	wait_from(8, "198.51.100.0/24", 1);
	assert_string_equal(line(), "5 7 2 6 8 3");
	/* who leaves gives its turn to those of its network */
	lease_leave(db, 2);
	assert_string_equal(line(), "5 7 3 6 8");
	/* without a network each is one by itself */
	wait_from(9, "", 1);
	wait_from(10, "", 1);
	assert_string_equal(line(), "5 7 9 10 3 6 8");
	for (const uint32_t *v = (uint32_t[]){ 5, 7, 9, 10, 3, 6, 8, 0 }; *v;
	     v++)
		assert_int_equal(lease_pick(db, *v, 1, 0, &l), 0);
	assert_string_equal(line(), "");
	/* rounds that are over are forgotten, but for who was served in the last */
	assert_int_equal(db_int(db, 0, "SELECT count(*) FROM turn", ""), 3);
	wait_from(11, "2001:db8::/64", 1);
	wait_from(12, "203.0.113.0/24", 1);
	assert_string_equal(line(), "12 11");
}

static void a_network_of_many_holds_nobody_up(void **state)
{
	struct lease l, was;

	lend("10.0.0.0/32", 6000000, 0);
	for (uint32_t i = 1; i <= 100; i++)
		wait_from(i, "192.0.2.0/24", 1);
	for (uint32_t i = 1; i <= 50; i++) {
		assert_int_equal(lease_pick(db, i, 1, 0, &l), 0);
		lease_end(db, i, 1, 0, 0, &was);
	}
	wait_from(1000, "198.51.100.0/24", 1);
	assert_int_equal(lease_place(db, 1000), 1);
}

static void the_pace_is_of_those_who_waited(void **state)
{
	struct lease l;

	lend("10.0.0.0/28", 6000000, 0);
	assert_int_equal(lease_pace(db), 0);
	wait_from(1, "a", 5000);
	assert_int_equal(lease_pick(db, 1, 5100, 0, &l), 0);
	assert_int_equal(lease_pace(db), 0); /* found one free */
	for (uint32_t i = 2; i < 5; i++)
		wait_from(i, "a", 6000);
	assert_int_equal(lease_pick(db, 2, 16000, 0, &l), 0);
	assert_int_equal(lease_pace(db), 10000);
	assert_int_equal(lease_pick(db, 3, 21000, 0, &l), 0);
	assert_int_equal(lease_pace(db), 9000);
	/* another boot counts anew */
	assert_int_equal(lease_boot(db, "boot-2", 100, 100, 0), 0);
	assert_int_equal(lease_pace(db), 9000);
	lend("10.0.0.0/28", 6000000, 100);
	lease_wait(db, 4, 1000);
	assert_int_equal(lease_pick(db, 4, 5000, 0, &l), 0);
	assert_int_equal(lease_pace(db), 8000);
}

/* Its VE ends between the line that is written and the kernel's answer. */
static void what_ended_before_the_kernel_had_it_does_not_begin(void **state)
{
	struct lease l, was;

	lend("10.0.0.0/30", 600000, 0);
	assert_int_equal(lease_pick(db, 2, 1, 1, &l), 0);
	assert_true(lease_end(db, 2, 2, 2, QUARANTINE, &was));
	assert_int_equal(was.epoch, l.epoch);
	assert_false(lease_installed(db, &l));
	assert_int_equal(lease_pick(db, 2, 1, 1, &l), 0);
	assert_true(lease_installed(db, &l));
}

static void what_sleeps_gives_its_lease_back(void **state)
{
	struct lease l, all[4];

	lend("10.0.0.0/30", 6000000, 0);
	lease_pick(db, 1, 0, 0, &l);
	lease_needless(db, 1, true); /* not installed yet: that comes first */
	assert_int_equal(lease_all_needless(db, all, 4), 0);
	assert_int_equal(lease_unfinished(db, all, 4), 1);
	lease_installed(db, &l);
	lease_needless(db, 1, true);
	assert_int_equal(lease_unfinished(db, all, 4), 0);
	assert_int_equal(lease_all_needless(db, all, 4), 1);
	assert_int_equal(all[0].veid, 1);
	lease_needless(db, 1, false); /* it woke before */
	assert_int_equal(lease_all_needless(db, all, 4), 0);
}

static void add_ve(int64_t veid, int64_t lease_max)
{
	db_do(db, "INSERT INTO ve (veid, template, hostname, want,"
	      " generation, memory, processes, cpu_weight, disk, ipv6,"
	      " slot, suspended, halted, state, rev, observed, since,"
	      " exit_status, error, active, terminals, lease_max) VALUES"
	      " (?,'t','h',1,1,0,0,0,0,NULL,?,0,0,2,0,0,0,0,NULL,0,0,?)",
	      "iii", veid, veid, lease_max);
}

static void a_turn_ends_only_while_others_wait(void **state)
{
	struct lease l, all[4], was;

	lend("10.0.0.0/31", 6000000, 0);
	add_ve(1, 10);
	add_ve(2, 0); /* no bound */
	add_ve(3, 10);
	for (uint32_t i = 1; i < 3; i++) {
		lease_pick(db, i, 0, 0, &l);
		lease_installed(db, &l);
	}
	assert_int_equal(lease_too_long(db, 20000, all, 4), 0);
	lease_wait(db, 3, 1);
	lease_wait(db, 4, 1);
	assert_int_equal(lease_too_long(db, 9999, all, 4), 0);
	assert_int_equal(lease_too_long(db, 10000, all, 4), 1);
	assert_int_equal(all[0].veid, 1);
	/* it rests for the first in the line: nobody else must go for him */
	lease_end(db, 1, 10000, 0, QUARANTINE, &was);
	lease_leave(db, 4);
	assert_int_equal(lease_too_long(db, 20000, all, 4), 0);
}

static void a_range_that_comes_under_another_name_is_whole(void **state)
{
	struct block_put b = { .range = "10.0.0.0/31", .term_ms = 6000000 };
	struct lease l;

	lend("10.0.0.0/30", 60000, 0);
	assert_true(lease_block_put(db, "b2", &b, 46000, NULL) >= 0);
	look("b2", 46000);
	strcpy(b.nonce, nonce);
	assert_true(lease_block_put(db, "b2", &b, 46000, NULL) >= 0);
	assert_int_equal(lease_pick(db, 1, 46000, 0, &l), 0);
	assert_int_equal(lease_pick(db, 2, 46000, 0, &l), 0);
	assert_int_equal(lease_pick(db, 3, 46000, 0, &l), -EADDRNOTAVAIL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_db, close_db)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_end_counts_from_the_nonce),
		TEST(a_nonce_counts_once),
		TEST(a_late_echo_never_shortens),
		TEST(addresses_run_out_and_rest),
		TEST(who_rested_longest_comes_first),
		TEST(nothing_is_given_of_an_ended_block),
		TEST(a_reboot_ends_everything),
		TEST(a_reboot_that_cannot_be_written_is_told),
		TEST(nor_half_of_it),
		TEST(blocks_do_not_meet_or_move_under_leases),
		TEST(a_block_that_ran_out_gives_way),
		TEST(released_is_told_until_acknowledged),
		TEST(the_line_is_served_in_order),
		TEST(networks_take_turns_in_the_line),
		TEST(a_network_of_many_holds_nobody_up),
		TEST(the_pace_is_of_those_who_waited),
		TEST(what_ended_before_the_kernel_had_it_does_not_begin),
		TEST(what_sleeps_gives_its_lease_back),
		TEST(a_turn_ends_only_while_others_wait),
		TEST(a_range_that_comes_under_another_name_is_whole),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
